"""What tests of reports have in common: run folders and results as runs leave them."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments import registry
from experiments.base import Evaluation
from launch import cli, configuration, results
from launch.loggers import CSVLogger
from launch.results import Result, wilson
from launch.run_folder import RunFolder, create

EXPERIMENT = replace(
    registry.load("sokoban_small"),
    evaluation=Evaluation(suites=("small_held_out",), episodes=100, every_frames=10),
)
COLUMN = "evaluation/small_held_out"
POINTS = ((10, 0.1), (20, 0.2), (30, 0.3))


def write(
    path: Path,
    points: Sequence[tuple[int, float]] = (),
    *,
    seed=0,
    before=None,
    column=COLUMN,
    **changes,
) -> Path:
    """A run folder with rows of `frames, rate`."""
    folder = create(path)
    configuration.save(replace(EXPERIMENT, seed=seed, **changes), folder.config)
    logger = CSVLogger(folder.metrics, ("frames", "success_rate", COLUMN))
    for frames, rate in points:
        logger.write({"frames": frames, "success_rate": rate / 2, COLUMN: rate})
    logger.close()
    if before:
        (path / "prerequisites.json").write_text(json.dumps(before))
    return path


def report(*args: object) -> dict:
    """Runs `moravec report ARGS`; what it writes into report.json."""
    assert cli.main(["report", *map(str, args)]) == 0
    out = Path(str(args[-1])) if "--out" in args else Path(str(args[0])) / "report"
    return json.loads((out / "report.json").read_text())


def printed(path: Path, *results) -> Path:
    """A file that `moravec evaluate --json` might have printed."""
    path.write_text(json.dumps([dataclasses.asdict(result) for result in results]))
    return path


def evaluated(run: Path | str, suite: str, solved: int, **changes) -> Result:
    """The result of 200 episodes of Sokoban of which so many were solved."""
    episodes = changes.get("episodes", 200)
    plain = Result(
        run=str(run),
        frames=0,
        environment="sokoban",
        environment_version=1,
        options={"levels": suite, "time_limit": [115, 120]},
        suite=suite,
        seed=0,
        thinking_steps=0,
        episodes=episodes,
        outcomes={"solved": solved, "unsolved": episodes - solved},
        rate=solved / episodes,
        ci95=wilson(solved, episodes),
        mean_return=0.5,
        mean_length=9.0,
        metrics={},
    )
    return dataclasses.replace(plain, **changes)


def keep(run: Path, suite: str, solved: int, **changes) -> Result:
    """The same, kept in the folder of a run."""
    result = evaluated(run, suite, solved, **changes)
    results.keep(result, RunFolder(run).evaluation)
    return result


def of_run(run: RunFolder, suite: str, outcomes: dict[str, int], **changes) -> Result:
    """A result in the run's own environment, after all its frames; `outcomes` has success first."""
    experiment = configuration.load(run.config)
    options = configuration.to_json(experiment)["environment"]
    total, first = sum(outcomes.values()), next(iter(outcomes.values()))
    return evaluated(
        run.path,
        suite,
        0,
        frames=changes.pop("frames", experiment.max_frames),
        environment=options.pop("name"),
        options=options,
        episodes=total,
        outcomes=outcomes,
        rate=first / total,
        ci95=wilson(first, total),
        **changes,
    )
