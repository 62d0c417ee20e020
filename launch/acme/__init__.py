"""Acme 0.4.0 on this stack: its loop, counters, loggers and adders around our agents."""
