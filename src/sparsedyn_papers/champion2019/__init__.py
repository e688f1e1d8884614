"""Champion et al. 2019: what is true of their systems, and what they reported."""
