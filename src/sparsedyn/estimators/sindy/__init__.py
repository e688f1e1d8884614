"""Sparse identification of nonlinear dynamics."""
