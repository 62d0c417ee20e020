"""Many worlds of one environment at once, behind one interface: `[N, ...]` NumPy time steps."""

from environments.vector.errors import WorldError
from environments.vector.seeds import world_seed

__all__ = ["WorldError", "world_seed"]
