"""SINDy autoencoders: studies of equations and coordinates found together."""
