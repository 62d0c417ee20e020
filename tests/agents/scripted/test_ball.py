"""The ball's script: small levels, real levels, boards that depart from the plan."""

import os

import numpy as np
import pytest

from agents.scripted import make_scripted
from agents.scripted.ball import BallScript
from environments.embedded.environment import EmbeddedEnvironment
from environments.errors import UserError
from environments.registry import load

LEVELS = {
    "one push": ("#####", "#@$.#", "#   #", "#   #", "#####"),
    "from the other side": ("#####", "# . #", "# $ #", "#@  #", "#####"),
    "two corners": ("######", "#@   #", "# $# #", "#  . #", "#    #", "######"),
    "two boxes": ("#######", "#@ $ .#", "#  $  #", "#  #. #", "#######"),
    "box on target at first": ("######", "#@*  #", "# $  #", "#  . #", "######"),
    "hopeless": ("#####", "#$  #", "# @.#", "#   #", "#####"),
}


@pytest.fixture
def level(tmp_path):
    """Makes the environment of one of LEVELS."""

    def make(name: str, **options) -> EmbeddedEnvironment:
        path = tmp_path / "level.txt"
        path.write_text("\n".join(LEVELS[name]) + "\n")
        environment = load("mujoban", levels=str(path), **options)
        assert isinstance(environment, EmbeddedEnvironment)
        return environment

    return make


def play(environment, script, level: int = 0) -> tuple[int, int]:
    """Plays a level; control steps, and moves between cells."""
    timestep, steps, moves = environment.reset_to(level), 0, 0
    while not timestep.last():
        cell = environment.state.player
        timestep = environment.step(script(timestep))
        moves += int(np.abs(np.subtract(environment.state.player, cell)).sum())
        steps += 1
    return steps, moves


@pytest.mark.parametrize("name", [name for name in LEVELS if name != "hopeless"])
def test_solves_small_levels_with_the_fewest_moves(level, name):
    environment = level(name, time_limit=60.0)
    script = BallScript(environment)
    _, moves = play(environment, script)
    assert environment.outcome == "solved", script.account
    assert script.account.planned == moves
    assert (script.account.departed, script.account.stuck, script.account.lost) == (0, 0, "")


@pytest.mark.parametrize("control_step", [0.025, 0.2])
def test_other_control_steps(level, control_step):
    environment = level("two corners", time_limit=60.0, control_step=control_step)
    play(environment, BallScript(environment))
    assert environment.outcome == "solved"


def test_a_control_step_that_is_too_long_is_refused(level):
    with pytest.raises(UserError, match=r"at most 0\.2 s, not 0\.5"):
        BallScript(level("one push", control_step=0.5))


def test_stands_still_where_there_is_no_plan(level):
    environment = level("hopeless", time_limit=1.0)
    script = BallScript(environment)
    steps, moves = play(environment, script)
    assert (environment.outcome, steps, moves) == ("unsolved", 10, 0)
    assert script.account.lost == "unsolvable"
    assert script.account.planned is None


def test_begins_anew_at_a_first(level):
    environment = level("one push", time_limit=20.0)
    script = make_scripted(environment)
    for _ in range(2):
        steps, _ = play(environment, script)
        assert environment.outcome == "solved"
        assert steps > 5


def test_plans_anew_if_a_box_is_elsewhere(level):
    """A box that is put back to where it was, after the push that moved it."""
    environment = level("two boxes", time_limit=120.0)
    script = BallScript(environment)
    model, data = environment.simulation.model, environment.simulation.data
    addresses = [model.joint(f"box0_{axis}").qposadr[0] for axis in "xy"]
    timestep, before, moved = environment.reset_to(0), data.qpos[addresses].copy(), False
    while not timestep.last():
        timestep = environment.step(script(timestep))
        apart = np.abs(data.qpos[addresses] - before).max()
        ball = np.abs(data.qpos[addresses] - data.qpos[:2]).max()
        if not moved and apart > 0.95 and not timestep.last() and ball > 0.75:
            data.qpos[addresses] = before
            moved = True
    assert moved
    assert environment.outcome == "solved", script.account
    assert script.account.departed or script.account.stuck


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("MORAVEC_BOXOBAN"), reason="MORAVEC_BOXOBAN is not set")
@pytest.mark.parametrize("suite", ["boxoban:unfiltered/valid", "boxoban:hard"])
def test_solves_real_levels(suite):
    environment = load("mujoban", levels=suite)
    assert isinstance(environment, EmbeddedEnvironment)
    script = BallScript(environment)
    for index in range(5):
        _, moves = play(environment, script, index)
        assert environment.outcome == "solved", (index, script.account)
        assert moves == script.account.planned
