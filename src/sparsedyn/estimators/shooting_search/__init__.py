"""The search for equations of trajectories, judged by what they explain of the states: multiple shooting."""
