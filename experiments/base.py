"""The Experiment: everything that decides a training run, as one frozen dataclass."""

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from agents.registry import AgentConfig
from environments.errors import UserError
from environments.registry import EnvironmentOptions

_GREATEST_SEED = 2**32 - 1  # of a JAX key; what is above is cut off in silence
# Frames are uint32, and those of the last row may go beyond the budget: the sum is below 2^32.
_GREATEST_FRAMES = 4_000_000_000
_GREATEST_LOG_FRAMES = 100_000_000


def _at_least(name: str, value: float, least: float) -> None:
    if not math.isfinite(value):
        raise UserError(f"{name} must be a finite number, not {value}")
    if value < least:
        raise UserError(f"{name} must be at least {least}, not {value}")


_OF_LOCAL_AND_RAY = ("actors", "worlds", "processes", "port", "max_lag", "synchronous")
_Switch = Annotated[bool, tyro.conf.FlagConversionOff]  # --runner.synchronous True


@dataclass(frozen=True)
class Runner:
    """What connects environments, agent and data."""

    # device: environments, acting and learning in one program, over all JAX devices.
    # local: actors, a Reverb replay and a learner on this machine, for any environment.
    # ray: the same parts on the nodes of a Ray cluster.
    kind: Literal["device", "local", "ray"] = "device"
    # A metrics row after about so many frames; evaluations come with rows. It bounds nothing else.
    log_frames: int = 20_000
    # A checkpoint after about so many minutes.
    checkpoint_minutes: float = 5.0
    # How many checkpoints to keep.
    keep_checkpoints: int = 3
    # Where to learn: what JAX prefers here, or a platform that there must be.
    platform: Literal["default", "cpu", "gpu", "tpu"] = "default"

    # The rest is of local and ray.

    # Actors; each steps many environments.
    actors: int = 1
    # Environments of each actor; 0 divides the unrolls of an update among the actors.
    worlds: int = 0
    # local: actors and replay in processes of their own, rather than in threads.
    processes: _Switch = False
    # Replay servers; each takes the items of some actors. Only ray has several.
    replay_shards: int = 1
    # Processes that share the work of each update, on as many nodes. Only ray has several.
    learners: int = 1
    # The port of the first replay server, the others following; 0 for free ones.
    port: int = 0
    # Versions of the policy by which an unroll may be too old when it is learnt from.
    max_lag: int = 1
    # One actor in step with the learner, max_lag 0: two runs give the same numbers.
    synchronous: _Switch = False
    # Ends the run, in failure, when there was no update for so many minutes.
    stall_minutes: float = 10.0
    # ray: of a running cluster, or auto; empty to start one on this machine.
    address: str = ""

    def __post_init__(self):
        _at_least("runner.log_frames", self.log_frames, 1)
        if self.log_frames > _GREATEST_LOG_FRAMES:
            raise UserError(
                f"runner.log_frames must be at most {_GREATEST_LOG_FRAMES}, not {self.log_frames}"
            )
        _at_least("runner.checkpoint_minutes", self.checkpoint_minutes, 0)
        _at_least("runner.keep_checkpoints", self.keep_checkpoints, 1)
        _at_least("runner.actors", self.actors, 1)
        _at_least("runner.worlds", self.worlds, 0)
        _at_least("runner.replay_shards", self.replay_shards, 1)
        _at_least("runner.learners", self.learners, 1)
        _at_least("runner.max_lag", self.max_lag, 0)
        if not 0 < self.stall_minutes < math.inf:
            raise UserError(
                f"runner.stall_minutes must be a number above 0, not {self.stall_minutes}"
            )
        if not 0 <= self.port < 65536:
            raise UserError(f"runner.port must be in 0 to 65535, not {self.port}")
        if self.port + self.replay_shards > 65536:
            raise UserError(
                f"runner.port {self.port} leaves no ports for {self.replay_shards} replay servers: "
                f"give at most {65536 - self.replay_shards}"
            )
        if self.replay_shards > self.actors:
            raise UserError(
                f"runner.replay_shards must be at most runner.actors, {self.actors}, "
                f"not {self.replay_shards}: a shard without an actor would stay empty"
            )
        if self.replay_shards > 1 and self.kind != "ray":
            raise UserError("runner.replay_shards above 1 needs runner.kind=ray")
        if self.learners > 1 and self.kind != "ray":
            raise UserError("runner.learners above 1 needs runner.kind=ray")
        if self.address and self.kind != "ray":
            raise UserError("runner.address needs runner.kind=ray")
        self._check_kind()
        if self.synchronous and self.actors != 1:
            raise UserError(f"runner.synchronous needs runner.actors of 1, not {self.actors}")

    def _check_kind(self) -> None:
        """Raises UserError for what is set and would be ignored."""
        for name in _OF_LOCAL_AND_RAY if self.kind == "device" else ():
            if getattr(self, name) != getattr(type(self), name):
                raise UserError(
                    f"runner.{name} is not for runner.kind=device: set runner.kind to local or "
                    f"ray, or leave it out"
                )
        if self.processes and self.kind == "ray":
            raise UserError("runner.processes is for runner.kind=local: ray has nothing else")

    @property
    def lag(self) -> int:
        """The bound on staleness, in versions."""
        return 0 if self.synchronous else self.max_lag


@dataclass(frozen=True)
class Evaluation:
    """What is evaluated, and how often, while training goes on; greedy, every level once."""

    # Registered suites, families of them (boxes, small_boxes) or level sources; in a two-player
    # game opponents. An empty one is the environment as it is.
    suites: tuple[str, ...] = ()
    # The first so many levels of each, in file order; 0 for all of them.
    episodes: int = 500
    # After at least this many frames; 0 for at the end only.
    every_frames: int = 0

    def __post_init__(self):
        if len(set(self.suites)) < len(self.suites):
            raise UserError(f"evaluation.suites names one twice: {' '.join(self.suites)}")
        _at_least("evaluation.episodes", self.episodes, 0)
        _at_least("evaluation.every_frames", self.every_frames, 0)

    def due(self, before: int, after: int) -> bool:
        """Whether an evaluation lies between two counts of frames."""
        return bool(self.every_frames) and before // self.every_frames != after // self.every_frames


@dataclass(frozen=True)
class Demonstrations:
    """What another plays, learnt from beside the agent's own play; for agents with a replay."""

    # scripted: the environment's script, recorded as the run begins; or the demonstrations.npz of
    # another run. Empty: none.
    source: str = ""
    # Episodes, all of them won, that are recorded.
    episodes: int = 200
    # The part of every batch that is of demonstrations.
    fraction: float = 0.25

    def __post_init__(self):
        _at_least("demonstrations.episodes", self.episodes, 1)
        if not 0 < self.fraction < 1:
            raise UserError(
                f"demonstrations.fraction must be above 0 and below 1, not {self.fraction}"
            )

    def beside(self, items: int) -> int:
        """How many sequences of demonstrations come beside so many of the agent's own."""
        return max(1, round(items * self.fraction / (1 - self.fraction))) if self.source else 0


@dataclass(frozen=True)
class Experiment:
    """A training run, resolved: enough to rebuild everything."""

    name: Annotated[str, tyro.conf.Suppress]
    environment: EnvironmentOptions
    agent: AgentConfig
    runner: Runner = field(default_factory=Runner)
    evaluation: Evaluation = field(default_factory=Evaluation)
    demonstrations: Demonstrations = field(default_factory=Demonstrations)
    # The budget: schedules end here. A frame is one step of one environment.
    max_frames: int = 1_000_000
    # Stops early after so many minutes of training, evaluations left out; 0 for no limit.
    max_minutes: float = 0.0
    # What it begins with: to each part of the agent that was trained before, an experiment, which
    # is then trained first, a run that is done, or a configuration file.
    prerequisites: dict[str, str] = field(default_factory=dict, hash=False)
    # Decides everything random: parameters, levels, time limits, actions, games of evaluation.
    seed: int = 0

    def __post_init__(self):
        if self.demonstrations.source and self.runner.kind == "device":
            raise UserError("demonstrations need runner.kind=local or ray")
        _at_least("max_frames", self.max_frames, 1)
        if self.max_frames > _GREATEST_FRAMES:
            raise UserError(f"max_frames must be at most {_GREATEST_FRAMES}, not {self.max_frames}")
        _at_least("max_minutes", self.max_minutes, 0)
        _at_least("seed", self.seed, 0)
        if self.seed > _GREATEST_SEED:
            raise UserError(f"seed must be at most {_GREATEST_SEED}, not {self.seed}")

    def check_discounts(self) -> None:
        """Raises UserError if hints are paid by another discount than the agent's.

        Their shaping would then change which policy is best. Runs that are trained so are still
        read: to begin one is refused.
        """
        hints, own = getattr(self.environment, "hints", None), getattr(self.agent, "discount", None)
        if hints is None or own is None or not hints.shaping or hints.discount == own:
            return
        raise UserError(
            f"environment.hints.discount is {hints.discount:g} and agent.discount {own:g}: shaping "
            f"would change what is best; set environment.hints.discount to {own:g}"
        )
