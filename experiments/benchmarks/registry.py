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
    goal: str = ""  # what it should reach
    accelerator: bool = False  # whether its figures on a GPU or TPU matter

    def run(self) -> list[Measurement]:
        """Measures; raises UserError if what it is compared with is not installed."""
        module, function = self.path.split(":")
        return getattr(importlib.import_module(module), function)()


_BENCHMARKS = (
    Benchmark(
        "sokoban",
        "batched Sokoban against Jumanji's, steps a second",
        "experiments.benchmarks.sokoban:sokoban",
        goal="at least 3 times the faster of Jumanji's two auto-reset wrappers, better 5",
    ),
    Benchmark(
        "minipacman",
        "batched MiniPacman against one maze at a time in NumPy, steps a second",
        "experiments.benchmarks.minipacman:minipacman",
    ),
    Benchmark(
        "drc",
        "training DRC(3,3), acting and learning, against this machine's matrix product",
        "launch.training_benchmark:drc",
        goal="on a CPU at least 0.3 of the matrix product's rate, compiled within 60 s; "
        "on one data-centre GPU at least 65,000 frames/s",
        accelerator=True,
    ),
    Benchmark(
        "drc11", "the same for DRC(1,1)", "launch.training_benchmark:drc11", accelerator=True
    ),
    Benchmark(
        "resnet",
        "the same for the ResNet",
        "launch.training_benchmark:resnet",
        accelerator=True,
    ),
    Benchmark(
        "i2a",
        "training I2A against the same network without imagination, milliseconds a frame",
        "launch.imagination_benchmark:i2a",
    ),
    Benchmark(
        "levels",
        "generating Sokoban levels, milliseconds a level",
        "experiments.benchmarks.levels:levels",
        goal="at most 10 ms for a level of 10x10 with 4 boxes",
    ),
    Benchmark(
        "solver",
        "solving Sokoban levels with the fewest moves, milliseconds a level",
        "experiments.benchmarks.solver:solver",
        goal="every level solved, the median within 1 ms of CPU time",
    ),
    Benchmark(
        "embedded",
        "MuJoBan, MuJoXO and MuJoGo against the bare engine on the same physics; many worlds",
        "experiments.benchmarks.embedded:embedded",
        goal="MuJoBan at least 0.9 of the bare engine, a reset within 0.1 ms; MuJoXO and MuJoGo "
        "at least 0.8, with two cameras at least 200 steps a CPU-second",
    ),
    Benchmark(
        "hinted",
        "physics' part of an actor's CPU time while an expert gives hints",
        "launch.distributed.benchmark:hinted",
        goal="at least 0.8 of an actor's CPU time in physics",
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
        goal="at least 0.9 of the slower of Reverb's bare writer and sampler",
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
