"""GNU Go as an expert, for real: it dies in the middle of a game under the arm."""

import logging
import os
import signal

import numpy as np
import pytest

from agents.scripted.arm import ArmScript
from environments import load
from environments.embedded.environment import EmbeddedEnvironment
from environments.hints.embedding import HintedEmbedding
from environments.hints.options import HintOptions
from environments.players.gnugo import GnuGo, find_gnugo

pytestmark = pytest.mark.skipif(find_gnugo() is None, reason="the program gnugo is not installed")


@pytest.fixture
def game():
    """A game of Go, the script that presses what is hinted at, and the expert."""
    hints = HintOptions("gnugo(level=1)", kind="both")
    environment = load("mujogo", size=5, seed=0, opponent="random", hints=hints)
    assert isinstance(environment, EmbeddedEnvironment)
    embedding = environment.embedding
    assert isinstance(embedding, HintedEmbedding)
    expert = embedding._adviser._player
    assert isinstance(expert, GnuGo)
    yield environment, ArmScript(environment), expert
    environment.close()


def press_the_hint(environment, script, step):
    """Follows the script until the board changes; the time step then."""
    before = step.observation["planes"]
    for _ in range(200):
        step = environment.step(script(step))
        if not np.array_equal(step.observation["planes"], before):
            return step
    raise AssertionError("nothing was pressed")


def test_killed_in_the_middle_of_a_game_it_comes_back_with_the_next_board(game):
    environment, script, expert = game
    begun = environment.reset()
    assert begun.observation["hint/present"]
    os.kill(expert.pid, signal.SIGKILL)
    shown = press_the_hint(environment, script, begun).observation
    assert shown["hint/present"]
    assert shown["hint/action"].any()
    assert environment.info["hints_reached"] == 1


def test_dead_for_good_the_game_goes_on_without_hints_and_one_line_is_logged(game, caplog):
    environment, script, expert = game
    begun = environment.reset()
    expert._command = ["/no/such/gnugo"]
    os.kill(expert.pid, signal.SIGKILL)
    with caplog.at_level(logging.WARNING):
        shown = press_the_hint(environment, script, begun).observation
        assert not shown["hint/present"]
        assert not shown["hint/planes"].any()
        environment.step(np.zeros(9, np.float32))
        environment.reset()
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert sum("the expert failed to advise" in line for line in lines) == 1
    assert not any("Traceback" in line for line in lines)
