"""rlax and distrax are imported without TensorFlow, which stays importable afterwards."""

import importlib.util
import subprocess
import sys

import pytest

_WITHOUT = """
import sys
from agents.libraries import distrax, rlax
assert not [name for name in sys.modules if name.split(".")[0] == "tensorflow"]
print(rlax.vtrace.__name__, distrax.Categorical.__name__)
"""

# A package of that name, so that nothing here depends on TensorFlow itself.
_AFTERWARDS = """
import sys, types
kept = {name: types.ModuleType(name) for name in ("tensorflow", "tensorflow.python")}
sys.modules.update(kept)
import agents.libraries
assert all(sys.modules[name] is module for name, module in kept.items())
"""


@pytest.mark.parametrize("program", [_WITHOUT, _AFTERWARDS])
def test_tensorflow_is_hidden_from_them_alone(program):
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_later_import_of_tensorflow_finds_it():
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed")
    program = (
        "import agents.libraries, importlib.util; assert importlib.util.find_spec('tensorflow')"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
