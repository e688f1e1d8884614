"""Reproductions of published studies with sparsedyn: their specs, figures, claims, and what only they need."""
