"""Evaluation beside training, in a real process."""

import threading
import time
from collections.abc import Iterator

import jax
import numpy as np
import pytest

from agents.cnn.config import CNNConfig
from agents.random.agent import make
from environments.games.board.registration import TicTacToeOptions
from environments.registry import build_batched
from experiments.base import Evaluation, Experiment
from launch.evaluator import Evaluator

EXPERIMENT = Experiment(
    name="tiny",
    environment=TicTacToeOptions(),
    agent=CNNConfig(),
    evaluation=Evaluation(suites=("random",)),
)
# More than a pipe holds: whoever sends them waits until somebody reads, which takes seconds.
LARGE = {"w": np.zeros(3_000_000, np.float32)}


@pytest.fixture
def evaluator() -> Iterator[Evaluator]:
    spec = build_batched(EXPERIMENT.environment).spec
    evaluator = Evaluator(EXPERIMENT, make(spec), spec)
    yield evaluator
    evaluator.close()


def test_what_falls_due_while_another_is_under_way_is_told(evaluator, caplog):
    evaluator.begin(10, ())
    assert not caplog.messages
    evaluator.begin(20, ())
    assert caplog.messages == ["frame 20 is not evaluated: the evaluation of frame 10 is under way"]


def test_closed_while_parameters_are_sent(evaluator, caplog):
    """Nobody hears of it: a thread that raises fails the test."""
    before = threading.enumerate()
    for _ in range(2):
        evaluator.begin(10, LARGE)
        evaluator.close()
        assert evaluator.results() is None
    for thread in set(threading.enumerate()) - set(before):
        thread.join(60)
        assert not thread.is_alive()
    assert not caplog.messages


@pytest.mark.slow
def test_a_process_beside_training_finds_what_is_found_here():
    spec = build_batched(EXPERIMENT.environment).spec
    agent = EXPERIMENT.agent.make(spec, EXPERIMENT.max_frames)
    evaluator = Evaluator(EXPERIMENT, agent, spec)
    params = agent.policy_params(agent.init(jax.random.key(0)))
    here = evaluator.evaluate(params, print, lambda: False)
    try:
        evaluator.begin(10, jax.device_get(params))
        limit = time.monotonic() + 120
        while not (found := evaluator.results()) and time.monotonic() < limit:
            time.sleep(0.1)
    finally:
        evaluator.close()
    assert found == (10, here)
    assert evaluator.results() is None
