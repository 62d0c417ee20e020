"""Any agent as Acme's actor: acts in one environment, and makes items of what it sees."""

from collections.abc import Callable
from functools import partial
from typing import Any

import dm_env
import jax
import numpy as np

from agents.base import Agent, OnPolicy
from environments.base import EnvironmentSpec, TimeStep
from launch.acme.symbols import Actor, VariableSource
from launch.acme.variables import POLICY, VERSION
from launch.distributed.base import Item, item_spec, rows
from launch.distributed.unrolls import UnrollBuffer


class AgentActor(Actor):
    """Acts with a batch of one. To be used by one thread, under an `EnvironmentLoop`.

    Parameters are looked for when an item is complete, so that one policy made all of it where
    items do not overlap. The policy acts on a LAST too, as it does where environments reset by
    themselves: that row's action reaches no environment.
    """

    def __init__(
        self,
        agent: Agent,
        spec: EnvironmentSpec,
        variables: VariableSource,
        sink: Callable[[Item], None],
        seed: int,
    ):
        """Asks for parameters at once.

        Args:
          agent: whose policy acts, and whose `data` says how long items are.
          spec: of the environment.
          variables: with `policy` and `version`.
          sink: takes each item, NumPy arrays that are its own to keep.
          seed: decides every action, given the parameters.
        """
        data = agent.data
        on_policy = isinstance(data, OnPolicy)
        self._length = data.unroll_length if on_policy else data.sequence_length
        self._period = self._length if on_policy else data.period
        self._spec = item_spec(agent, spec, self._length)
        self._agent, self._variables, self._sink = agent, variables, sink
        self._act = jax.jit(partial(agent.act, greedy=False))
        self._key = jax.random.key(seed)
        self._steps, self._incarnation = 0, 0
        self._now: TimeStep | None = None
        self._chosen: tuple | None = None
        self._begin()
        self.update(wait=True)

    def observe_first(self, timestep: dm_env.TimeStep) -> None:
        """Begins an episode: records the step across the reset, if the one before has ended.

        If it has not (the loop was stopped), the open item is dropped, and the stamps of those that
        follow have the next incarnation.
        """
        after = batch_of_one(timestep)
        if self._now is not None and self._now.is_last[0]:
            self._choose(self._now)
            self._record(after)
        elif self._now is not None:
            self._incarnation += 1
            self._begin()
        self._now, self._chosen = after, None

    def select_action(self, observation: Any) -> np.ndarray:
        """The action `[...]` for the observation of the time step observed last.

        Raises ValueError if none was observed.
        """
        if self._now is None:
            raise ValueError("observe_first comes before select_action")
        return self._choose(self._now, observation)[0]

    def observe(self, action: Any, next_timestep: dm_env.TimeStep) -> None:
        """Records a step; raises ValueError for an action other than the one selected."""
        if self._chosen is None or not np.array_equal(action, self._chosen[0][0]):
            raise ValueError(f"action {action} is not the one that was selected")
        after = batch_of_one(next_timestep)
        self._record(after)
        self._now, self._chosen = after, None

    def update(self, wait: bool = False) -> None:
        """Takes new parameters if an item has just been completed, or if told to `wait`."""
        if wait or self._complete:
            self._params, self._version = self._variables.get_variables([POLICY, VERSION])
            self._complete = False

    def _begin(self) -> None:
        self._buffer = UnrollBuffer(self._spec, 1, self._period, incarnation=self._incarnation)
        self._core = self._agent.initial_core(1)
        self._complete = False

    def _choose(self, now: TimeStep, observation: Any = None) -> np.ndarray:
        shown = now.observation if observation is None else _add_axis(observation)
        key = jax.random.fold_in(self._key, self._steps)
        action, extras, core = jax.device_get(
            self._act(self._params, key, shown, now.is_first, self._core)
        )
        self._chosen = action, extras, core
        return action

    def _record(self, after: TimeStep) -> None:
        assert self._now is not None
        assert self._chosen is not None
        action, extras, core = self._chosen
        items = self._buffer.add(self._now, action, after, extras, self._core, self._version)
        self._core = core
        self._steps += 1
        if items is not None:
            self._complete = True
            self._sink(rows(items, 0))


def batch_of_one(timestep: dm_env.TimeStep) -> TimeStep:
    """A dm_env time step as a batch `[1, ...]`; a FIRST, whose reward is None, has 0 and 1."""
    first = timestep.first()
    return TimeStep(
        observation=_add_axis(timestep.observation),
        reward=np.array([0.0 if first else timestep.reward], np.float32),
        discount=np.array([1.0 if first else timestep.discount], np.float32),
        is_first=np.array([first]),
        is_last=np.array([timestep.last()]),
        info={},
    )


def _add_axis(observation: Any) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[None], observation)
