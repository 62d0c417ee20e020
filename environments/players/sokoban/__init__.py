"""Sokoban's solver: plans of fewest moves."""
