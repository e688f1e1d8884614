"""Sparse neural time-steppers."""
