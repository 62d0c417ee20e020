"""Training an agent, acting and learning in one program, against the machine's matrix product.

An agent's nominal arithmetic is counted for its published architecture, whatever short cuts the
code takes: four forward passes for each frame, one to act, three to learn (forward, and twice as
much backward).

Shape letters: `T` steps, `B` environments.
"""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp

from agents.base import Agent, OnPolicy, Unroll
from agents.drc.config import DRCConfig
from agents.registry import AgentConfig
from agents.resnet.config import ResNetConfig
from environments.base import BatchedEnvironment
from environments.registry import load_batched
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.timing import compile_timed, interleave

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
    name: str, config: AgentConfig, gigaflop: float, size: Size | None = None
) -> list[Measurement]:
    """`training` in float32 and, on an accelerator, in bfloat16, which CPUs lack."""
    found = training(name, config, gigaflop, size)
    if default_size() is ACCELERATOR:
        # All that are given have this field.
        config = replace(config, precision="bfloat16")  # type: ignore[call-arg]
        half = training(name, config, gigaflop, size)
        found += [replace(each, metric=f"bfloat16: {each.metric}") for each in half]
    return found


def training(
    name: str,
    config: AgentConfig,
    gigaflop: float,
    size: Size | None = None,
    levels: str = LEVELS,
) -> list[Measurement]:
    """Frames a second, their nominal arithmetic against a matrix product's, and compilation.

    The product is of matrices in the precision that the agent's convolutions compute in.

    Args:
      name: of the benchmark.
      config: an actor-critic agent's; its environments are set to those of `size`.
      gigaflop: nominal arithmetic of a frame.
      size: how much work; by default what suits the device.
      levels: source of the levels, 10x10.
    """
    size = size or default_size()
    environment = load_batched("sokoban", levels=levels, observations=("pixels",))
    # Every configuration that is measured has this field; their base does not say so.
    config = replace(config, environments=size.environments)  # type: ignore[call-arg]
    agent = config.make(environment.spec, 1_000_000_000)
    state = jax.jit(partial(begin, agent))(environment, jax.random.key(0))
    precision = getattr(config, "precision", "float32")
    factor = jax.random.normal(jax.random.key(1), (size.matrix, size.matrix)) / size.matrix**0.5
    factor = factor.astype(precision)
    compiled, seconds = compile_timed(
        jax.jit(partial(iterate, agent), donate_argnums=1), environment, state
    )
    multiply, _ = compile_timed(jax.jit(partial(_products, count=size.products)), factor)

    def train():
        nonlocal state
        state = jax.block_until_ready(compiled(environment, state))

    programs = {"train": train, "multiply": lambda: jax.block_until_ready(multiply(factor))}
    times = interleave(name, programs, size.rounds)
    frames = int(state[0].frames) / (size.rounds + 1)
    work = frames * gigaflop
    matrix_work = size.products * 2e-9 * size.matrix**3
    of, on = times["train"], times["multiply"]
    return [
        Measurement(name, "compilation", seconds, "s"),
        Measurement(name, "training", frames / of.wall, "frames/s"),
        Measurement(name, "training, CPU time", 1e3 * of.cpu / frames, "CPU-ms/frame"),
        Measurement(
            name,
            f"{gigaflop} GFLOP a frame, against a {precision} matrix product",
            work / of.wall,
            "GFLOP/s",
            matrix_work / on.wall,
        ),
        Measurement(
            name,
            "the same by CPU time",
            work / of.cpu,
            "GFLOP/CPU-s",
            matrix_work / on.cpu,
        ),
    ]


def begin(agent: Agent, environment: BatchedEnvironment, key: jax.Array):
    """The state in which `iterate` begins: learner, environments, time step, core and key."""
    agent_key, environment_key, key = jax.random.split(key, 3)
    batch = _data(agent).environments
    play = environment.reset(environment_key, batch)
    return agent.init(agent_key), *play, agent.initial_core(batch), key


def iterate(agent: Agent, environment: BatchedEnvironment, state):
    """One unroll, and one update from it: the state after `state`."""
    learner, environment_state, timestep, first_core, key = state
    key, act_key, update_key = jax.random.split(key, 3)

    def step(carry, key):
        environment_state, now, core = carry
        action, extras, core = agent.act(
            learner.params, key, now.observation, now.is_first, core, greedy=False
        )
        environment_state, after = environment.step(environment_state, action)
        row = (now.observation, now.is_first, now.is_last), action, after, extras
        return (environment_state, after, core), row

    (environment_state, timestep, core), (shown, action, after, extras) = jax.lax.scan(
        step,
        (environment_state, timestep, first_core),
        jax.random.split(act_key, _data(agent).unroll_length),
    )
    observation, is_first, is_last = jax.tree.map(
        lambda rows, row: jnp.concatenate([rows, row[None]]),
        shown,
        (timestep.observation, timestep.is_first, timestep.is_last),
    )
    unroll = Unroll(
        observation, is_first, is_last, action, after.reward, after.discount, extras, first_core
    )
    learner, _ = agent.update(learner, unroll, update_key)
    return learner, environment_state, timestep, core, key


def _data(agent: Agent) -> OnPolicy:
    assert isinstance(agent.data, OnPolicy)
    return agent.data


def _products(factor: jax.Array, count: int) -> jax.Array:
    return jax.lax.fori_loop(0, count, lambda _, x: x @ factor, factor)
