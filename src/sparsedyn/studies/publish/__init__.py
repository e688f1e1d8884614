"""Studies as pages of the documentation, drawn again from what is stored, without any training."""
