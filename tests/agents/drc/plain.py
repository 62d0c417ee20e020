"""DRC as published, in plain NumPy and double precision: what the fast version is held against.

One step at a time, every convolution over its concatenated input, nothing computed beforehand.
"""

import numpy as np


def convolve(image: np.ndarray, kernel: np.ndarray, pad: tuple[int, int] | None = None):
    """`[B, H, W, C]` with `[KH, KW, C, F]`, padded with zeros (before, after); SAME by default."""
    size = len(kernel)
    low, high = ((size - 1) // 2, size // 2) if pad is None else pad
    padded = np.pad(image, ((0, 0), (low, high), (low, high), (0, 0)))
    height, width = (padded.shape[axis] - size + 1 for axis in (1, 2))
    return sum(
        padded[:, i : i + height, j : j + width] @ kernel[i, j]
        for i in range(size)
        for j in range(size)
    )


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def cell_step(hidden, cell, below, encoding, params, *, output_gate, pool):
    """One step of a cell: two convolutions, that of the fence, four gates."""
    batch, height, width, channels = hidden.shape
    largest, mean = hidden.max(axis=(1, 2)), hidden.mean(axis=(1, 2))
    if pool == "per_channel":
        pooled = params["w_pool"][0] * largest + params["w_pool"][1] * mean
    else:
        pooled = np.concatenate([largest, mean], axis=1) @ params["w_pool"]
    spread = np.broadcast_to(pooled[:, None, None], (batch, height, width, channels))
    ring = np.ones((1, height + 2, width + 2, 1))
    ring[:, 1:-1, 1:-1] = 0
    gates = (
        convolve(np.concatenate([encoding, below, spread], axis=-1), params["w_input"])
        + convolve(hidden, params["w_state"])
        + convolve(ring, params["w_fence"], pad=(0, 0))
        + params["b"]
    )
    i, f, g, o = np.split(gates, 4, axis=-1)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return {"tanh": np.tanh, "sigmoid": sigmoid}[output_gate](o) * np.tanh(cell), cell


def unroll(params, image, is_first, core, *, repeats, variant):
    """Logits `[T, B, A]`, values `[T, B]` and the last core.

    Args:
      params: as Haiku names them.
      image: `[T, B, H, W, C]`.
      is_first: `[T, B]`.
      core: a list of (hidden, cell), one for each cell.
      repeats: ticks for each step.
      variant: whose architecture.
    """
    logits, values = [], []
    for x, first in zip(image, is_first, strict=True):
        for name in ("encoder/conv", "encoder/conv_1"):
            x = convolve(x, params[name]["w"]) + params[name]["b"]
            x = np.maximum(x, 0) if variant.encoder_relu else x
        core = [(h * ~first[:, None, None, None], c * ~first[:, None, None, None]) for h, c in core]
        for _ in range(repeats):
            for index, (hidden, cell) in enumerate(core):
                below = core[index - 1][0]  # of the first cell: the last one's, of the tick before
                core[index] = cell_step(
                    hidden, cell, below, x, params[f"cell_{index}"],
                    output_gate=variant.output_gate, pool=variant.pool,
                )  # fmt: skip
        hidden = core[-1][0]
        joined = hidden + x if variant.readout == "add" else np.concatenate([hidden, x], axis=-1)
        readout, policy, value = (params[n] for n in ("readout", "heads/policy", "heads/value"))
        features = np.maximum(joined.reshape(len(joined), -1) @ readout["w"] + readout["b"], 0)
        logits.append(features @ policy["w"] + policy["b"])
        values.append((features @ value["w"] + value["b"])[:, 0])
    return np.stack(logits), np.stack(values), core
