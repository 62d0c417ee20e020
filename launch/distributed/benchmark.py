"""How much of an actor's CPU goes into physics while an expert gives hints.

Shape letters: `N` worlds, `S` steps.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import jax
import numpy as np

from environments import load
from environments.embedded.boards.touch import TouchSimulation
from environments.embedded.environment import EmbeddedEnvironment
from environments.embedded.simulation import Simulation
from environments.registry import build_vector, name_of
from environments.vector import world_seed
from experiments import registry
from experiments.base import Experiment
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.timing import interleave
from experiments.benchmarks.traces import Segment, record, replay
from launch.distributed.actor import Actor, Identity
from launch.distributed.base import Item, Weights
from launch.distributed.coordinator import Coordinator
from launch.distributed.plan import Plan, make_plan

NAME = "hinted"
_SIMULATIONS: tuple[Any, ...] = (Simulation, TouchSimulation)
EXPERIMENTS = ("mujoban_tiny_hinted", "mujoxo_hinted")


@dataclass(frozen=True)
class Size:
    """How much to measure."""

    unrolls: int = 4  # of each world, a round
    traced: int = 4  # worlds whose physics the bare engine does again
    rounds: int = 5


class _Writer:
    """Keeps the actions of an actor, and stops it when there are enough."""

    waiting = ""

    def __init__(self, link: Coordinator, unrolls: int):
        self.actions: list[np.ndarray] = []  # each [N, T, ...]
        self._link, self._unrolls = link, unrolls

    def write(self, items: Item, stop: Callable[[], bool]) -> bool:
        del stop
        self.actions.append(items.unroll.action)
        if len(self.actions) == self._unrolls:
            self._link.stop()
        return True


class _Physics:
    """CPU seconds of all threads within `Simulation.advance`, while it is entered."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> "_Physics":
        self._before = {kind: kind.advance for kind in _SIMULATIONS}
        for kind, advance in self._before.items():
            kind.advance = self._timed(advance)
        return self

    def __exit__(self, *error: object) -> None:
        for kind, advance in self._before.items():
            kind.advance = advance

    def _timed(self, advance: Callable[..., None]) -> Callable[..., None]:
        def timed(simulation: Simulation, control: np.ndarray) -> None:
            began = time.thread_time()
            advance(simulation, control)
            with self._lock:
                self.seconds += time.thread_time() - began

        return timed


def hinted(size: Size = Size()) -> list[Measurement]:
    """CPU time of an actor's step, hints and all but its writes to Reverb: what of it is physics.

    Beside it stands a bare `mj_step` loop that does the physics of some of its worlds again, bit
    for bit, one world after the other: what it takes less is what many worlds cost in caches.
    """
    return [each for name in EXPERIMENTS for each in _share(registry.load(name), size)]


def _share(experiment: Experiment, size: Size) -> list[Measurement]:
    plan = make_plan(experiment)
    params = plan.agent.policy_params(plan.agent.init(jax.random.key(0)))
    weights = Weights(0, jax.tree.map(np.asarray, params))
    with build_vector(experiment.environment, plan.worlds, seed=0) as worlds:

        def act() -> np.ndarray:
            link = Coordinator(plan.round_items, None)
            link.publish(weights)
            writer = _Writer(link, size.unrolls)
            identity = Identity(0, link.start(0), policy_seed=0)
            Actor(plan.agent, worlds, plan.item, plan.period, identity, link, writer).run()
            return np.concatenate(writer.actions, axis=1)

        actions = act()  # from the first reset on
        bare = replay(_traces(plan, actions[: size.traced]))
        with _Physics() as physics:
            times = interleave(NAME, {"actor": act, "bare": bare}, size.rounds)
    steps = actions.shape[1]
    whole = 1e3 * times["actor"].cpu / (plan.worlds * steps)
    part = 1e3 * physics.seconds / ((size.rounds + 1) * plan.worlds * steps)
    alone = 1e3 * times["bare"].cpu / (size.traced * steps)
    return [
        Measurement(NAME, f"{experiment.name}: {what}, of an actor's step", value, "CPU-ms", whole)
        for what, value in (("physics", part), ("a bare mj_step loop", alone))
    ]


def _traces(plan: Plan, actions: np.ndarray) -> list[Segment]:
    """The physics of the first worlds, `[W, S, ...]` of actions, from their first reset on."""
    options = plan.experiment.environment
    segments = []
    for world, taken in enumerate(actions):
        arguments = {field.name: getattr(options, field.name) for field in fields(options)}
        environment = load(name_of(options), seed=world_seed(0, world), **arguments)
        assert isinstance(environment, EmbeddedEnvironment)
        environment.reset()
        segments += record(environment, taken)
        environment.close()
    return segments
