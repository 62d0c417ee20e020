"""Benchmarks: each measures a claim side by side with what it is compared to, in one run."""
