"""Reads the board planes from a camera's picture; learnt from what the environments render."""
