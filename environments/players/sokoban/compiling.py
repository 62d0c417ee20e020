"""How the solver's loops are compiled.

Without numba's counting of references (`_nrt`), which took more than half of the search's time:
so these functions allocate nothing. They release Python's lock. Numba's cache of a function does
not notice changes in other files: compiled functions that call one another are in one file.
"""

from typing import Any

from numba import njit

from environments.compiling import kept

_OPTIONS: Any = {"nogil": True, "_nrt": False}
compiled = kept(**_OPTIONS)
inlined = njit(inline="always", **_OPTIONS)  # for what takes many arrays, which are slow to pass
