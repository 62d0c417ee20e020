"""rlax is imported without TensorFlow, which stays importable afterwards."""

import subprocess
import sys

# TensorFlow is a module of that name here, so that this holds where it is not installed.
_PROGRAM = """
import sys, types
kept = {name: types.ModuleType(name) for name in ("tensorflow", "tensorflow.python")}
sys.modules.update(kept)
from agents.libraries import rlax
assert rlax.vtrace
found = {name: m for name, m in sys.modules.items() if name.split(".")[0] == "tensorflow"}
assert found == kept, found
"""


def test_tensorflow_is_hidden_from_it_alone():
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True)
