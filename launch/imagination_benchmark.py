"""Training I2A against its model-free control of the same widths: what imagination costs.

The I2A paper (Racanière, Weber et al. 2017, section 4.2) reports a step less than ten times as
slow as the baseline's. Here a step is acting and learning, environments included.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import jax

from agents.i2a.config import I2AConfig
from environments.base import BatchedEnvironment
from environments.registry import load_batched
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.timing import compile_timed, interleave
from launch.device_program import init
from launch.training_benchmark import Size, default_size, round_of

ModelKind = Literal["learned", "perfect", "copy"]

LEVELS = "generated:size=7,boxes=2,count=200,seed=0"


def i2a() -> list[Measurement]:
    """The agent of `sokoban_2box_i2a`, at its own rollout length and at the paper's."""
    from experiments.imagination import sokoban_2box_i2a

    config: Any = sokoban_2box_i2a().agent
    kinds: tuple[ModelKind, ...] = ("learned", "copy", "perfect")
    variants: list[tuple[int, ModelKind]] = [(config.rollout_length, kind) for kind in kinds]
    return imagination("i2a", config, [*variants, (5, "learned")])


def imagination(
    name: str,
    config: I2AConfig,
    variants: Sequence[tuple[int, ModelKind]],
    size: Size | None = None,
    levels: str = LEVELS,
) -> list[Measurement]:
    """The time of a frame for each variant, against the control's.

    Args:
      name: of the benchmark.
      config: of the agent; its environments are set to those of `size`.
      variants: rollout length and kind of the model of each.
      size: how much work; by default what suits the device.
      levels: source of the levels.
    """
    size = size or default_size()
    environment = load_batched("sokoban", levels=levels)
    config = replace(config, environments=size.environments)
    programs = {"control": _program(replace(config, rollout_length=0), environment)}
    for length, kind in variants:
        model = replace(config.model, kind=kind)
        variant = replace(config, rollout_length=length, model=model)
        programs[f"{length} steps of a {kind} model"] = _program(variant, environment)
    times = interleave(name, programs, size.rounds)
    control = times.pop("control")
    frames = size.environments * config.unroll_length
    return [
        Measurement(
            name,
            f"training with {variant}, against none",
            1e3 * getattr(timing, clock) / frames,
            unit,
            1e3 * getattr(control, clock) / frames,
        )
        for variant, timing in times.items()
        for clock, unit in (("wall", "ms/frame"), ("cpu", "CPU-ms/frame"))
    ]


def _program(config: I2AConfig, environment: BatchedEnvironment):
    """A function that gathers an unroll and learns from it, compiled."""
    agent = config.make(environment.spec, 1_000_000_000)
    state = jax.jit(partial(init, agent))(environment=environment, key=jax.random.key(0))
    compiled, _ = compile_timed(round_of(agent), environment=environment, state=state)

    def train():
        nonlocal state
        state, *_ = jax.block_until_ready(compiled(environment=environment, state=state))

    return train
