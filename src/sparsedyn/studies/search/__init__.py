"""Searches of settings: one space of values and ranges, two strategies over it."""
