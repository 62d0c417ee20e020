"""The result of one evaluation, and the file of a run folder that holds it."""

import dataclasses
import hashlib
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments.errors import UserError, reason
from launch import configuration, files


@dataclass(frozen=True)
class Result:
    """How one policy did on one suite; the keys of `moravec evaluate --json` and of the files in
    a run's `evaluation` folder, whoever wrote them."""

    run: str  # the run folder, or the name of a baseline
    frames: int  # of training
    environment: str
    environment_version: int
    options: dict[str, Any]  # of the environment
    suite: str  # or level source, or opponent; "" for the environment as it is
    seed: int  # of the evaluation
    thinking_steps: int
    episodes: int
    outcomes: dict[str, int]  # episodes by how they ended, success first
    rate: float  # of the first outcome
    ci95: tuple[float, float]  # Wilson's interval of the rate
    mean_return: float
    mean_length: float
    metrics: dict[str, float]
    simulations: int = 0  # of a search before every move; 0 for none
    model: str = ""  # the run whose model the search imagines with; "" for the rules
    model_frames: int = 0  # of training of that run

    def __post_init__(self):
        """Raises UserError if the numbers contradict each other."""
        low, high = self.ci95
        counts = list(self.outcomes.values())
        if self.episodes < 1 or min(counts, default=-1) < 0 or sum(counts) != self.episodes:
            raise UserError(f"outcomes do not add up to {self.episodes} episodes")
        if not math.isclose(self.rate, counts[0] / self.episodes, abs_tol=1e-6):
            raise UserError(f"rate is {self.rate}, but {counts[0]} of {self.episodes} succeeded")
        if not 0 <= low <= self.rate <= high <= 1:
            raise UserError(f"ci95 is {low} to {high}, which is no interval of {self.rate}")


def from_json(document: Any) -> Result:
    """The result in one object of `moravec evaluate --json`, of older versions too.

    Raises:
      UserError: naming the key that is missing or wrong.
    """
    metrics = document.get("metrics") if isinstance(document, dict) else None
    if isinstance(metrics, dict) and "simulations" in metrics:  # where older versions had it
        rest = {name: value for name, value in metrics.items() if name != "simulations"}
        document = {"simulations": metrics["simulations"]} | document | {"metrics": rest}
    return configuration.parse(Result, document)


def read(path: Path) -> Result:
    """The result in a file of a run's `evaluation` folder.

    Raises:
      UserError: it cannot be read, or is no result.
    """
    document = read_json(path)
    # The model of a search was once told by the file's name alone.
    old = re.search(r"_simulations\d+_(.+)\.json$", path.name)
    if old and isinstance(document, dict):
        document = {"model": old[1]} | document
    try:
        return from_json(document)
    except UserError as error:
        raise UserError(f"{path} is no result of moravec evaluate: {error}") from error


def read_json(path: Path) -> Any:
    """What the JSON file holds. Raises UserError if it cannot be read, or is no JSON."""
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}") from error


def keep(result: Result, folder: Path) -> None:
    """Writes the result into `folder`, in place of one of the same evaluation.

    Raises:
      UserError: it cannot be written.
    """
    with files.writing(folder):
        folder.mkdir(exist_ok=True)
    document = json.dumps(dataclasses.asdict(result), indent=2)
    files.atomic_write(folder / file_name(result), document + "\n")


def file_name(result: Result) -> str:
    """The same for the same evaluation of the same policy, and for no other."""
    identity = (
        *(result.frames, result.environment, result.environment_version, result.suite),
        *(result.seed, result.thinking_steps, result.episodes),
        *(result.simulations, result.model, result.model_frames),
    )
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:10]
    slug = re.sub(r"[^A-Za-z0-9]+", "-", result.suite).strip("-")[:60] or "own"
    return f"{result.frames}_{slug}_{digest}.json"


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """The 95 % score interval of the rate `successes / trials` (Wilson 1927)."""
    z = 1.959963984540054
    rate, spread = successes / trials, z * z / trials
    centre = rate + spread / 2
    half = z * math.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    # Rounding must not take the interval beyond 0, 1 or the rate.
    return min(max(low, 0.0), rate), max(min(high, 1.0), rate)
