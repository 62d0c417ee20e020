"""Sokoban: rules, levels, generator, and its symbolic environments."""
