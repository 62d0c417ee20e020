"""Tests of environments/hints."""
