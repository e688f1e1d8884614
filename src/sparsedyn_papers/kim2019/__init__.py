"""Kim et al. 2019: functions, sums of handwritten digits, and systems that are propagated."""
