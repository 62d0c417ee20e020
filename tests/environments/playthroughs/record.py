"""Golden playthroughs: recorded episode traces, at least one for each environment.

    python -m tests.environments.playthroughs.record

writes them anew, beside this file. A trace that changes means that the game has changed: raise
the environment's version where it is registered first, or the command refuses.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import dm_env
import numpy as np

from environments import entries
from tests.environments.cases import CASES, Case

SEED = 0


def path(name: str) -> Path:
    """Where the trace of an environment lies."""
    return Path(__file__).parent / f"{name}.txt"


def traces() -> dict[str, tuple[str, dict[str, Any]]]:
    """Of every trace the environment, and its options beside those of the case."""
    found = {}
    for name, case in CASES.items():
        if case.actions:
            found[name] = name, {}
            found |= {name + suffix: (name, more) for suffix, more in case.playthroughs.items()}
    return found


def playthrough(trace: str) -> str:
    """The trace called `trace`: every time step of its case's actions with SEED."""
    name, more = traces()[trace]
    case = CASES[name]
    options = {
        key: Path(value).name if key == "levels" else value
        for key, value in (case.options | more).items()
    }
    environment = case.load(name, seed=SEED, **more)
    lines = [
        f"environment {name}",
        f"version {entries()[name].version}",
        f"options {options}",
        f"seed {SEED}",
        "",
        *_describe(environment.reset(), case),
    ]
    for number, action in enumerate(case.actions, 1):
        lines += ["", f"step {number} action {action}", *_describe(environment.step(action), case)]
    return "\n".join(lines) + "\n"


def _describe(step: dm_env.TimeStep, case: Case) -> list[str]:
    """Type, reward and discount; what each key of the observation holds; the board."""
    numbers = "" if step.first() else f" reward {step.reward:.4f} discount {step.discount:.4f}"
    contents = [
        f"{key} {value.dtype}{list(value.shape)} {_content(value)}"
        for key, value in sorted(step.observation.items())
    ]
    planes = step.observation["planes"]
    cells = planes @ (1 << np.arange(planes.shape[-1]))
    board = ["".join(case.symbols.get(int(cell), "?") for cell in row) for row in cells]
    return [f"{step.step_type.name}{numbers}", *contents, *board]


def _content(value: np.ndarray) -> str:
    """A digest; of physical quantities three digits, for no two processors round quite alike."""
    if value.dtype != np.float32:
        return hashlib.sha256(value.tobytes()).hexdigest()[:16]
    return " ".join(f"{round(float(number), 3) + 0.0:.3g}" for number in value.flat)


def main() -> int:
    """Writes every trace; returns the exit status."""
    status = 0
    for name, (environment, _) in traces().items():
        new, old = playthrough(name), path(name).read_text() if path(name).exists() else ""
        version = f"version {entries()[environment].version}"
        if old and new != old and version in old.splitlines():
            print(f"{name}: the trace has changed; raise the version where it is registered")
            status = 1
        else:
            path(name).write_text(new)
            print(f"{name}: {'unchanged' if new == old else 'written'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
