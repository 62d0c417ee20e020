"""Imagination-Augmented Agents: a policy that learns to read what a model imagines."""
