"""Reports: what runs, sweeps and baselines reached, side by side, as a page, plots and tables."""
