"""Sparse state-space models of plants of which inputs and outputs are measured, and states are not."""
