"""Studies that compare techniques, crossed with averages, as ensembles on the same data at the same horizons."""
