"""A trained policy as a callable, rebuilt from a run folder's `config.json` and `policy.npz`."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax

from agents.base import Agent, Core, Params
from environments.base import Array, EnvironmentSpec, Observation
from environments.errors import UserError
from environments.precision import in_32_bits
from experiments.base import Experiment
from launch import companions, configuration, published, run_folder
from launch.shared import shared


@dataclass(frozen=True)
class Policy:
    """Acts in batches of `B` environments; keeps no state of its own.

    core = policy.initial_core(batch)
    action, core = policy(observation, is_first, core)
    """

    experiment: Experiment
    spec: EnvironmentSpec
    frames: int  # learnt from
    agent: Agent
    params: Params

    @in_32_bits
    def initial_core(self, batch: int) -> Core:
        """The recurrent state before the first step of `batch` environments."""
        return self.agent.initial_core(batch)

    @in_32_bits
    def __call__(
        self,
        observation: Observation,
        is_first: Array,
        core: Core,
        *,
        key: jax.Array | None = None,
        greedy: bool = True,
    ) -> tuple[jax.Array, Core]:
        """Actions `[B, ...]` and the next core.

        Args:
          observation: each `[B, ...]`, as in `spec`.
          is_first: `[B] bool`; the core is cleared where it is set.
          core: as returned by the step before.
          key: what actions are drawn with, if not greedy.
          greedy: whether to take the likeliest action.
        """
        if key is None:
            if not greedy:
                raise ValueError("give a key to draw actions with, or greedy=True")
            key = jax.random.key(0)
        action, _, core = self._act(self.params, key, observation, is_first, core, greedy=greedy)
        return action, core

    @cached_property
    def _act(self) -> Any:
        return jax.jit(self.agent.act, static_argnames="greedy")


def check_fits(learnt: EnvironmentSpec, played: EnvironmentSpec) -> None:
    """Raises UserError if what was learnt in one environment cannot be played in another."""
    for key, array in learnt.observation.items():
        shown = played.observation.get(key)
        if shown is None or shown.shape != array.shape:
            has = "nothing of that name" if shown is None else f"{list(shown.shape)}"
            raise UserError(
                f"the policy goes by {key} {list(array.shape)}, but the environment shows {has}: "
                "leave its options as the run has them"
            )
    if learnt.action.shape != played.action.shape or getattr(
        learnt.action, "num_values", None
    ) != getattr(played.action, "num_values", None):
        raise UserError(
            "the policy has learnt other actions than the environment takes: leave its options as "
            "the run has them"
        )


@shared
@in_32_bits
def load_policy(run: str | Path) -> Policy:
    """The newest policy that the run in the folder `run` has published, compiled once for all.

    Raises:
      UserError: it is not a run, or its policy is missing, damaged or another agent's.
    """
    folder = run_folder.open_run(Path(run))
    experiment = companions.resolved(configuration.load(folder.config), folder)
    found = published.load(folder.policy)
    agent = experiment.agent.make(found.spec, experiment.max_frames)
    like = jax.eval_shape(lambda key: agent.policy_params(agent.init(key)), jax.random.key(0))
    try:
        params = published.unflatten(found.params, like)
    except UserError as error:
        raise UserError(f"{folder.policy} does not fit {folder.config}: {error}") from error
    return Policy(experiment, found.spec, found.frames, agent, params)
