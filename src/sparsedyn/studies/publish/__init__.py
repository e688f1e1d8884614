"""Pages of the documentation from stored studies, without any training."""
