"""Studies that search a grid of settings by successive halving: many short trainings, few long ones."""
