"""Names, options, and how little it takes to list them."""

import subprocess
import sys
from pathlib import Path

import pytest

from environments import entries, load, load_batched, load_vector, options_class, registry
from environments.errors import UserError
from environments.games.sokoban.registration import SokobanOptions
from tests.environments.cases import CASES, LEVELS

ROOT = Path(__file__).parents[2]

LAZY = """
import sys
from environments import entries
assert "sokoban" in entries()
heavy = {"jax", "mujoco", "dm_control", "numba", "numpy"} & set(sys.modules)
assert not heavy, heavy
"""

NUMPY_ONLY = f"""
import sys
from environments import load
environment = load("sokoban", levels={str(LEVELS)!r}, observations=("planes", "sprites"))
environment.reset()
environment.step(0)
heavy = {{"jax", "mujoco", "dm_control"}} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.parametrize("program", [LAZY, NUMPY_ONLY], ids=["listing", "dm_env face"])
def test_heavy_libraries_are_loaded_only_when_needed(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_an_entry_says_what_it_is():
    entry = entries()["sokoban"]
    assert entry.name == "sokoban"
    assert entry.options is options_class("sokoban") is SokobanOptions
    assert {"symbolic", "single_player"} <= entry.tags
    assert entry.summary.startswith("Sokoban")
    assert registry.name_of(SokobanOptions()) == "sokoban"


def test_the_order_is_the_same_whatever_was_imported_first():
    program = """
import environments.embedded.boards.registration
from environments import entries
print(*entries())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == list(entries())
    assert done.stdout.startswith("sokoban")


@pytest.mark.parametrize("face", [load, load_batched, options_class])
def test_an_unknown_name_lists_choices_and_the_nearest(face):
    with pytest.raises(UserError) as error:
        face("sokobann")
    message = str(error.value)
    assert "'sokobann'" in message
    assert "did you mean 'sokoban'" in message
    assert all(name in message for name in entries())
    assert "\n" not in message


@pytest.mark.parametrize("face", [load, load_batched])
def test_an_unknown_option_lists_choices_and_the_nearest(face):
    with pytest.raises(UserError) as error:
        face("sokoban", observation=("planes",))
    message = str(error.value)
    assert "did you mean 'observations'" in message
    assert all(option in message for option in ("levels", "time_limit", "noop"))


def test_a_name_like_no_other_still_lists_the_choices():
    with pytest.raises(UserError, match=r"there is no environment 'zzz'; choose from .*sokoban"):
        load("zzz")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_limit": (0, 5)}, "time_limit must be .* not 0 5"),
        ({"time_limit": (6, 5)}, "time_limit must be .* not 6 5"),
        ({"observations": ()}, "at least one of planes, pixels, sprites"),
        ({"observations": ("pixel",)}, "did you mean 'pixels'"),
    ],
)
def test_bad_values_of_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        load("sokoban", levels=str(LEVELS), **options)


def test_a_name_can_be_registered_only_once():
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("sokoban", version=1, tags=(), single=load)(SokobanOptions)


@pytest.mark.parametrize("name", CASES)
def test_both_faces_have_one_spec(name):
    entry = entries()[name]
    if entry.batched is None:
        pytest.skip("no batched face")
    single = CASES[name].load(name)
    spec = load_batched(name, **CASES[name].options).spec
    assert single.observation_spec() == spec.observation
    assert single.action_spec() == spec.action


@pytest.mark.parametrize("make", [load, lambda name, **options: load_vector(name, 1, **options)])
def test_seeds_are_not_negative(make):
    with pytest.raises(UserError, match="seed must be at least 0, not -1"):
        make("sokoban", seed=-1, levels=str(LEVELS))
