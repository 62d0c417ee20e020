"""Plays one environment episode by episode: for players and scripts, which act one at a time."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import dm_env
import numpy as np

from environments.base import Environment
from environments.errors import PhysicsError
from launch.rollouts import Episodes

_log = logging.getLogger(__name__)

# What `info` counts in an episode, of a game that has it.
COUNTED = ("hints_given", "hints_reached", "illegal_presses", "opponent_failed")


# Chooses the action; it may look at the whole environment, and begins anew at a FIRST.
Policy = Callable[[Any, dm_env.TimeStep], Any]


def play_episodes(
    policy: Policy,
    environment: Environment,
    levels: Iterable[int],
    *,
    observe: Callable[[Any, dm_env.TimeStep], None] = lambda environment, timestep: None,
    report: Callable[[int], None] = lambda played: None,
) -> Episodes:
    """Plays one episode on each of `levels`, in order; returns are of the game's own rewards.

    An episode in which physics fails ends there, with the last of the outcomes, as one that ran out
    of time does.

    Args:
      policy: called as `policy(environment, timestep)` at every step but the last.
      environment: ends every episode by itself, at the latest at its time limit.
      levels: indices below `environment.num_levels`; one may come more than once.
      observe: called as `observe(environment, timestep)` after every reset and step.
      report: told, after each episode, how many were played.
    """
    rows, outcomes = [], environment.spec.outcomes
    for level in levels:
        timestep = environment.reset_to(level)
        observe(environment, timestep)
        total, length, outcome = 0.0, 0, None
        while outcome is None:
            try:
                timestep = environment.step(policy(environment, timestep))
            except PhysicsError as error:
                _log.warning("an episode on level %d is given up: %s", level, error)
                outcome = outcomes[-1]
                break
            observe(environment, timestep)
            total += own_reward(environment, timestep)
            length += 1
            outcome = environment.outcome
        rows.append((outcomes.index(outcome), total, length))
        report(len(rows))
    outcome, episode_return, lengths = zip(*rows, strict=True) if rows else ((), (), ())
    return Episodes(
        outcome=np.array(outcome, np.int32),
        episode_return=np.array(episode_return, np.float32),
        length=np.array(lengths, np.int32),
    )


def own_reward(environment: Environment, timestep: dm_env.TimeStep) -> float:
    """The reward of the environment's last step, without what comes of hints."""
    auxiliary = environment.info.get("auxiliary_reward", 0.0)
    return float(timestep.reward or 0.0) - float(auxiliary)
