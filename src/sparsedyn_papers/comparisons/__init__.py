"""What papers add to the report on a comparison: published values, arrangements of figures, claims."""
