"""Moravec: reinforcement learning for physically embedded planning.

What it is made of are the packages `environments`, `agents`, `experiments` and `launch`.
"""

from importlib.metadata import version

__version__ = version("moravec")
