"""Rules of the games, one folder each, without physics and without agents."""
