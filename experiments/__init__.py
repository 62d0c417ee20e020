"""Named experiments: functions that return an `Experiment`; benchmarks beside them."""
