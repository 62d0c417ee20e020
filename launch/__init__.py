"""Running experiments: command line, runners, run folder, checkpoints, evaluation."""
