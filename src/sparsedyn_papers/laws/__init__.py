"""Laws of physics and of other fields, each with the ranges and units of its variables."""
