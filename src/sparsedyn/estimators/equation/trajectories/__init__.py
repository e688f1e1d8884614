"""Equations of trajectories by what they explain: the measured states."""
