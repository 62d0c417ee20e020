"""Each name of Acme's imports in a fresh process, over a stand-in that says what it is."""

import subprocess
import sys

import pytest

pytest.importorskip("reverb", reason="Acme's adders need Reverb, which has no wheel here")
pytest.importorskip("tensorflow", reason="Acme's datasets need TensorFlow")

SCRIPT = """
import sys
from launch.acme import compat
assert "acme" not in sys.modules
compat.install()
stand_in = sys.modules["launchpad"]
compat.install()
assert sys.modules["launchpad"] is stand_in
assert "NOT LAUNCHPAD" in stand_in.__doc__, stand_in.__doc__
from launch.acme import symbols
print(*sorted(symbols.__all__))
called = []
stand_in.register_stop_handler(lambda: called.append(1))
stand_in.unregister_stop_handler(print)
assert not stand_in.wait_for_stop(0)
compat.stop()
assert called == [1] and stand_in.stop_event().is_set()
try:
    stand_in.Program
except AttributeError as error:
    print(error)
"""


def test_every_symbol_imports_in_a_fresh_process():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    names, error = done.stdout.splitlines()
    assert names == (
        "Actor Counter EndBehavior EnvironmentLoop InMemoryLogger Learner Logger NoOpLogger "
        "SequenceAdder VariableSource make_environment_spec make_reverb_dataset"
    )
    assert "launchpad.Program" in error
    assert "stand-in" in error
