"""Tests of MPO."""
