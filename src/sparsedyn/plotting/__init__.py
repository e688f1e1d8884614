"""Pictures of trajectories, forecasts and equations."""
