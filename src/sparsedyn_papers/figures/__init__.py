"""Figures of particular papers."""
