"""Steps of the environment model, worked out by hand."""

import numpy as np
import pytest

from launch.planning import planning
from launch.rollouts import Episodes


def episodes(outcomes, lengths) -> Episodes:
    returns = np.zeros(len(outcomes), np.float32)
    return Episodes(np.array(outcomes, np.int32), returns, np.array(lengths, np.int32))


def test_steps_by_hand():
    played = episodes([0, 1, 0, 1], [3, 10, 5, 10])
    assert planning(played, 20) == {
        "model_steps": pytest.approx(20 * 28 / 4),
        "model_steps_per_solved": pytest.approx(20 * 28 / 2),
        "model_steps_solved": pytest.approx(20 * 8 / 2),
    }
    thought = planning(played, 20, thinking_steps=2)
    assert thought["model_steps_per_solved"] == pytest.approx(20 * (28 + 8) / 2)


def test_no_level_solved():
    assert planning(episodes([1, 1], [4, 6]), 5) == {"model_steps": 25.0}


def test_an_agent_that_imagines_nothing():
    assert planning(episodes([0], [4]), 0) == {}
