"""Names of benchmarks; importing this loads no JAX: a benchmark is imported when it is run."""

import importlib
from dataclasses import dataclass

from environments.errors import unknown
from experiments.benchmarks.base import Measurement


@dataclass(frozen=True)
class Benchmark:
    """One registered benchmark."""

    name: str
    summary: str
    path: str  # module:function; the function takes nothing and returns a list of Measurement

    def run(self) -> list[Measurement]:
        """Measures; raises UserError if what it is compared with is not installed."""
        module, function = self.path.split(":")
        return getattr(importlib.import_module(module), function)()


_BENCHMARKS = (
    Benchmark(
        "sokoban",
        "batched Sokoban against Jumanji's, steps a second",
        "experiments.benchmarks.sokoban:sokoban",
    ),
    Benchmark(
        "minipacman",
        "batched MiniPacman, steps a second",
        "experiments.benchmarks.minipacman:minipacman",
    ),
    Benchmark(
        "drc",
        "training DRC(3,3), acting and learning, against this machine's matrix product",
        "experiments.benchmarks.training:drc",
    ),
    Benchmark("drc11", "the same for DRC(1,1)", "experiments.benchmarks.training:drc11"),
    Benchmark("resnet", "the same for the ResNet", "experiments.benchmarks.training:resnet"),
    Benchmark(
        "i2a",
        "training I2A against the same network without imagination, milliseconds a frame",
        "experiments.benchmarks.imagination:i2a",
    ),
    Benchmark(
        "levels",
        "generating Sokoban levels, milliseconds a level",
        "experiments.benchmarks.levels:levels",
    ),
    Benchmark(
        "solver",
        "solving Sokoban levels with the fewest moves, milliseconds a level",
        "experiments.benchmarks.solver:solver",
    ),
    Benchmark(
        "embedded",
        "MuJoBan, MuJoXO and MuJoGo against the bare engine on the same physics; many worlds",
        "experiments.benchmarks.embedded:embedded",
    ),
    Benchmark(
        "hinted",
        "physics' part of an actor's CPU time while an expert gives hints",
        "launch.distributed.benchmark:hinted",
    ),
    Benchmark(
        "arm",
        "presses by the scripted arm: how many are right, and how long they take",
        "experiments.benchmarks.arm:arm",
    ),
    Benchmark(
        "replay",
        "items from actor to learner through Reverb, against its bare writer and sampler",
        "launch.replay.benchmark:replay",
    ),
)


def benchmarks() -> dict[str, Benchmark]:
    """All benchmarks by name."""
    return {benchmark.name: benchmark for benchmark in _BENCHMARKS}


def load(name: str) -> Benchmark:
    """The benchmark called `name`. Raises UserError, with the nearest match, if there is none."""
    known = benchmarks()
    if name not in known:
        raise unknown("benchmark", name, known)
    return known[name]
