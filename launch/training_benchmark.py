"""Training an agent, acting and learning in one program, against the machine's matrix product.

An agent's nominal arithmetic is counted for its published architecture, whatever short cuts the
code takes: four forward passes for each frame, one to act, three to learn (forward, and twice as
much backward).
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax

from agents.base import Agent
from agents.drc.config import DRCConfig
from agents.resnet.config import ResNetConfig
from environments.registry import load_batched
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.timing import compile_timed, interleave
from launch.device_program import init, iterate

LEVELS = "generated:size=10,boxes=4,count=200,seed=0"


@dataclass(frozen=True)
class Size:
    """How much work to measure with on a kind of device."""

    environments: int
    matrix: int  # rows and columns of the matrices multiplied
    products: int  # one after the other in a call
    rounds: int


CPU = Size(environments=32, matrix=2048, products=4, rounds=3)
ACCELERATOR = Size(environments=1024, matrix=8192, products=16, rounds=10)


def drc() -> list[Measurement]:
    """DRC(3,3). Forward: 9 ticks of 29.7 MFLOP, encoder 3.6, readout 1.6."""
    return in_each_precision("drc", DRCConfig(), gigaflop=1.1)


def drc11() -> list[Measurement]:
    """DRC(1,1). Forward: one tick of 29.7 MFLOP, encoder 3.6, readout 1.6."""
    return in_each_precision("drc11", DRCConfig(depth=1, repeats=1), gigaflop=0.14)


def resnet() -> list[Measurement]:
    """The ResNet. Forward: convolutions 285.4 MFLOP, readout 3.3."""
    size = default_size()
    if size is CPU:
        # Its gradients move so much memory that the full batch takes minutes.
        size = replace(CPU, environments=16)
    return in_each_precision("resnet", ResNetConfig(), gigaflop=1.15, size=size)


def default_size() -> Size:
    """For the device of this machine."""
    return CPU if jax.default_backend() == "cpu" else ACCELERATOR


def in_each_precision(
    name: str, config: Any, gigaflop: float, size: Size | None = None
) -> list[Measurement]:
    """`training` in float32 and, on an accelerator, in bfloat16, which CPUs lack."""
    found = training(name, config, gigaflop, size)
    if default_size() is ACCELERATOR:
        half = training(name, replace(config, precision="bfloat16"), gigaflop, size)
        found += [replace(each, metric=f"bfloat16: {each.metric}") for each in half]
    return found


def training(
    name: str,
    config: Any,
    gigaflop: float,
    size: Size | None = None,
    levels: str = LEVELS,
) -> list[Measurement]:
    """Frames a second, their nominal arithmetic against a matrix product's, and compilation.

    The product is of matrices in the precision that the agent's convolutions compute in.

    Args:
      name: of the benchmark.
      config: of DRC or the ResNet; its environments are set to those of `size`.
      gigaflop: nominal arithmetic of a frame.
      size: how much work; by default what suits the device.
      levels: source of the levels, 10x10.
    """
    size = size or default_size()
    environment = load_batched("sokoban", levels=levels, observations=("pixels",))
    config = replace(config, environments=size.environments)
    agent = config.make(environment.spec, 1_000_000_000)
    state = jax.jit(partial(init, agent))(environment=environment, key=jax.random.key(0))
    factor = jax.random.normal(jax.random.key(1), (size.matrix, size.matrix)) / size.matrix**0.5
    factor = factor.astype(config.precision)
    compiled, seconds = compile_timed(round_of(agent), environment=environment, state=state)
    multiply, _ = compile_timed(jax.jit(partial(_products, count=size.products)), factor)

    def train():
        nonlocal state
        state, _ = jax.block_until_ready(compiled(environment=environment, state=state))

    programs = {"train": train, "multiply": lambda: jax.block_until_ready(multiply(factor))}
    times = interleave(name, programs, size.rounds)
    frames = int(state.agent.frames) / (size.rounds + 1)
    work = frames * gigaflop
    matrix_work = size.products * 2e-9 * size.matrix**3
    of, on = times["train"], times["multiply"]
    against = f"{gigaflop} GFLOP a frame, against a {config.precision} matrix product"
    found = [
        Measurement(name, "compilation", seconds, "s"),
        Measurement(name, "training", frames / of.wall, "frames/s"),
        Measurement(name, against, work / of.wall, "GFLOP/s", matrix_work / on.wall),
    ]
    if default_size() is CPU:  # an accelerator's host does none of the arithmetic
        by_cpu = matrix_work / on.cpu
        found += [
            Measurement(name, "training, CPU time", 1e3 * of.cpu / frames, "CPU-ms/frame"),
            Measurement(name, "the same by CPU time", work / of.cpu, "GFLOP/CPU-s", by_cpu),
        ]
    return found


def round_of(agent: Agent):
    """The device runner's program: one unroll, and learning from it."""
    return jax.jit(partial(iterate, agent, iterations=1), donate_argnames="state")


def _products(factor: jax.Array, count: int) -> jax.Array:
    return jax.lax.fori_loop(0, count, lambda _, x: x @ factor, factor)
