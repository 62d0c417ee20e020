"""Hints: what an expert of the abstract game says, told to whoever plays the embedded one."""
