"""Materials and textures of a board scene: wood, with lines where a game wants them.

Textures are drawn here, into the compiled model, so that no picture files are needed.
"""

from typing import Any

import numpy as np

from environments.embedded.boards.spec import BoardSpec
from environments.embedded.engine import mujoco

_LIGHT, _DARK = (0.70, 0.52, 0.33), (0.40, 0.25, 0.14)  # wood
_LINE = (0.16, 0.1, 0.06)
_WOODS = {"tile_light": _LIGHT, "tile_dark": _DARK, "slab": _LIGHT, "plate": _DARK}
_TILE_PIXELS, _SLAB_PIXELS = 64, 512  # a side


def add_looks(root: Any, spec: BoardSpec) -> None:
    """Declares the materials that the scene's parts name."""
    asset = root.asset
    asset.add(
        "texture", type="skybox", builtin="gradient", width=100, height=100,
        rgb1=(0.4, 0.6, 0.8), rgb2=(0, 0, 0),
    )  # fmt: skip
    asset.add(
        "texture", name="ground", type="2d", builtin="checker", width=300, height=300,
        rgb1=(0.2, 0.3, 0.4), rgb2=(0.1, 0.2, 0.3), mark="edge", markrgb=(0.8, 0.8, 0.8),
    )  # fmt: skip
    asset.add(
        "material", name="ground", texture="ground", texrepeat=(5, 5), texuniform=True,
        reflectance=0.2,
    )  # fmt: skip
    for name in _WOODS:
        side = _SLAB_PIXELS if name == "slab" and not spec.checkered else _TILE_PIXELS
        asset.add("texture", name=name, type="2d", builtin="flat", width=side, height=side)
        asset.add("material", name=name, texture=name, specular=0.2, shininess=0.2)
    asset.add("material", name="hidden", rgba=(0, 0, 0, 0))
    asset.add("material", name="marker", specular=0.5, shininess=0.6)


def paint(model: mujoco.MjModel, spec: BoardSpec) -> None:
    """Fills the textures of a compiled model."""
    for seed, (name, colour) in enumerate(_WOODS.items()):
        texture = model.texture(name)
        first, side = int(texture.adr[0]), int(texture.width[0])
        picture = wood(side, colour, seed)
        if name == "slab" and not spec.checkered:
            _draw_lines(picture, spec.rows)
        pixels = np.round(255 * picture).astype(np.uint8)
        model.tex_data[first : first + pixels.size] = pixels.ravel()


def wood(side: int, colour: tuple[float, float, float], seed: int) -> np.ndarray:
    """Grain along the columns, `[side, side, 3] float` in [0, 1]."""
    rng = np.random.default_rng(seed)
    along, across = np.meshgrid(*2 * [np.linspace(0, 1, side)], indexing="ij")
    phase, bend = rng.uniform(0, 2 * np.pi, 2)
    rings = across + 0.04 * np.sin(2.5 * along + bend) + 0.015 * np.sin(9 * along + phase)
    grain = np.sin(55 * rings + phase) * 0.03 + np.sin(190 * rings) * 0.02
    streaks = rng.normal(0, 0.015, (1, side))
    shade = 1 + grain + streaks
    return np.clip(shade[..., None] * np.array(colour), 0, 1)


def _draw_lines(picture: np.ndarray, size: int) -> None:
    """A square board's lines through the cells' centres, and its star points, into `picture`."""
    side = len(picture)
    centres = (np.arange(size) + 0.5) / size * side
    low, high = round(centres[0]), round(centres[-1])
    half = max(1, round(0.012 * side / size))
    for centre in centres.round().astype(int):
        picture[low : high + 1, centre - half : centre + half] = _LINE
        picture[centre - half : centre + half, low : high + 1] = _LINE
    down, right = np.indices((side, side)) + 0.5
    for row in star_lines(size):
        for column in star_lines(size):
            distance = np.hypot(down - centres[row], right - centres[column])
            picture[distance < 0.08 * side / size] = _LINE


def star_lines(size: int) -> list[int]:
    """The lines on whose crossings a Go board of that size has its star points."""
    middle = [size // 2] if size % 2 else []
    if size < 9:
        return middle
    edge = 2 if size < 13 else 3
    return [edge, *middle, size - 1 - edge]
