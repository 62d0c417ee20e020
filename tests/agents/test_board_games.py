"""Tic-tac-toe is learnt in seconds, and played against an opponent that never errs."""

from functools import partial

import jax
import numpy as np
import pytest

from agents.base import OnPolicy
from environments.games.board.registration import TicTacToeOptions
from environments.games.board.spec import OUTCOMES
from environments.registry import build_batched
from experiments.registry import load
from launch import device_program
from launch.rollouts import play

FRAMES = 600_000
GAMES = 256


@pytest.mark.slow
def test_learns_not_to_lose():
    experiment = load("tic_tac_toe_small")
    environment = build_batched(experiment.environment)  # whose opponent errs now and then
    perfect = build_batched(TicTacToeOptions(opponent="optimal"))
    agent = experiment.agent.make(environment.spec, FRAMES)
    state = jax.jit(partial(device_program.init, agent))(
        environment=environment, key=jax.random.key(0)
    )
    assert isinstance(agent.data, OnPolicy)
    iterations = FRAMES // (agent.data.unroll_length * agent.data.environments)
    train = jax.jit(partial(device_program.iterate, agent, iterations=iterations))
    trained, _ = train(environment=environment, state=state)
    before, after = (
        play(agent, each.agent.params, perfect, episodes=GAMES) for each in (state, trained)
    )
    lost = OUTCOMES.index("loss")
    assert np.mean(before.outcome == lost) > 0.5
    assert np.mean(after.outcome == lost) < 0.2
    assert not np.any(after.outcome == OUTCOMES.index("win"))
