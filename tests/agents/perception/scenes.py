"""Real pictures of real boards, for the tests of perception; skips where nothing can render."""

from functools import cache
from typing import Any

import numpy as np
import pytest

import environments
from environments.base import EnvironmentSpec, Observation
from environments.errors import UserError

CAMERA = "front_camera"
OPTIONS: dict[str, Any] = {
    "opponent": "random",
    "random_plies": 8,
    "observations": ("planes",),
    CAMERA: (48, 48),
}


def rendered(name: str, **options: Any) -> Any:
    """The environment, if this machine can render it."""
    try:
        return environments.load(name, **options)
    except UserError as error:
        if "render" not in str(error):
            raise
        pytest.skip(f"no pictures here: {error}")


@cache
def boards(count: int, seed: int) -> tuple[EnvironmentSpec, Observation]:
    """MuJoXO at the start of so many games with stones on the board, each `[count, ...]`."""
    environment = rendered("mujoxo", seed=seed, **OPTIONS)
    shown = [environment.reset().observation for _ in range(count)]
    environment.close()
    stacked = {key: np.stack([each[key] for each in shown]) for key in shown[0]}
    return environment.spec, stacked
