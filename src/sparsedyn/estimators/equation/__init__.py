"""Equation learners: symbolic regression of tables and of right-hand sides."""
