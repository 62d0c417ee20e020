"""The DRC network: parameter counts, ticks, resets, and a plain version to compare with."""

from functools import partial

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.drc.config import VARIANTS, DRCConfig
from agents.drc.networks import Cell, drc_network
from agents.drc.recurrence import CellParams, CellState, clear, tick, unroll_ticks
from tests.agents.drc import plain
from tests.agents.toy import board_spec, quick_jit, random_observation, randomised

SPEC = board_spec("planes", size=5)
SMALL = {"channels": 4, "hidden": 6, "encoder_kernel": 3}
TIME, BATCH = 4, 3


def count(config: DRCConfig, spec=None) -> int:
    agent = config.make(spec or board_spec("pixels"), frames=1)
    return sum(
        x.size for x in jax.tree.leaves(jax.eval_shape(agent.init, jax.random.key(0)).params)
    )


def case(seed: int = 0, **options):
    """A small network as (apply, params, network, observation, is_first), all of it noise."""
    network = drc_network(DRCConfig(**{**SMALL, **options}), SPEC)
    unroll = hk.without_apply_rng(hk.transform(network.unroll))
    observation = random_observation(SPEC, seed, (TIME, BATCH))
    is_first = jnp.asarray(np.random.default_rng(seed).random((TIME, BATCH)) < 0.3)
    arguments = observation, is_first, network.initial_core(BATCH)
    params = jax.eval_shape(unroll.init, jax.random.key(0), *arguments)
    return quick_jit(unroll.apply), randomised(params, seed), network, observation, is_first


def noise(core, seed: int):
    return randomised(core, seed, scale=0.7)


def assert_close(found, expected, atol=1e-5):
    leaves = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
    for x, y in leaves:
        np.testing.assert_allclose(x, y, atol=atol)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 1_285_125),
        ({"depth": 1, "repeats": 1}, 987_525),
        ({"repeats": 9}, 1_285_125),  # ticks share their weights
        ({"variant": "thinker"}, 1_285_125 + 819_200),  # concatenated readout
        # and 2C x C pooling weights in place of 2 x C
        ({"variant": "paper"}, 1_285_125 + 819_200 + 3 * (64 * 32 - 64)),
    ],
)
def test_parameter_counts(options, parameters):
    assert count(DRCConfig(**options)) == parameters


def test_parameters_of_each_part():
    agent = DRCConfig().make(board_spec("pixels"), frames=1)
    params = jax.eval_shape(agent.init, jax.random.key(0)).params
    sizes = {name: sum(x.size for x in module.values()) for name, module in params.items()}
    assert sizes == {
        "encoder/conv": 1_568,
        "encoder/conv_1": 16_416,
        **dict.fromkeys(("cell_0", "cell_1", "cell_2"), 148_800),
        "readout": 819_456,
        "heads/policy": 1_028,
        "heads/value": 257,
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_the_plain_network(variant):
    """Whole unrolls, with resets in the middle, from a core that is not zero."""
    apply, params, network, observation, is_first = case(variant=variant, depth=2, repeats=2)
    assert is_first[1:].any()
    core = noise(network.initial_core(BATCH), seed=1)
    output, after = apply(params, observation, is_first, core)
    logits, values, expected = plain.unroll(
        jax.tree.map(lambda x: np.asarray(x, np.float64), params),
        np.asarray(observation["planes"], np.float64),
        np.asarray(is_first),
        [tuple(np.asarray(x, np.float64) for x in state) for state in core],
        repeats=2,
        variant=VARIANTS[variant],
    )
    np.testing.assert_allclose(output.logits, logits, atol=1e-4)
    np.testing.assert_allclose(output.value, values, atol=1e-4)
    assert_close(after, expected)
    assert np.std(logits) > 0.01


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_cell_step_is_the_plain_one_cell_by_cell_of_the_board(variant):
    """Corners and borders too, where the injected vector and the fence meet the padding."""
    config = DRCConfig(variant=variant, **SMALL)
    cell = hk.without_apply_rng(hk.transform(lambda encoding: Cell(config, 0)(encoding)))
    rng = np.random.default_rng(0)
    shape = (2, 4, 6, 4)  # a board that is not square
    encoding, below, hidden, memory = (rng.normal(size=shape) for _ in range(4))
    shapes = jax.eval_shape(cell.init, jax.random.key(0), jnp.asarray(encoding, jnp.float32))
    params = randomised(shapes, 1)
    cell_params, gates = cell.apply(params, jnp.asarray(encoding, jnp.float32))
    state = CellState(jnp.asarray(hidden, jnp.float32), jnp.asarray(memory, jnp.float32))
    # It reads the last cell's state of the tick before: in a stack of two, that of the other.
    other = CellState(jnp.asarray(below, jnp.float32), jnp.zeros(shape))
    (found, _), _ = tick((state, other), (gates,) * 2, (cell_params,) * 2, VARIANTS[variant])
    expected = plain.cell_step(
        hidden, memory, below, encoding,
        {name: np.asarray(x, np.float64) for name, x in params["cell_0"].items()},
        output_gate=VARIANTS[variant].output_gate, pool=VARIANTS[variant].pool,
    )  # fmt: skip
    assert_close(found, expected)


def stack(*, depth: int):
    """A core, cells and gates `[T, B, ...]` of noise, and where episodes begin."""
    network = drc_network(DRCConfig(depth=depth, **SMALL), SPEC)
    core = noise(network.initial_core(BATCH), seed=0)
    rng = np.random.default_rng(1)

    def draw(*shape):
        return jnp.asarray(rng.normal(0, 0.3, shape), jnp.float32)

    cells = tuple(CellParams(draw(3, 3, 8, 16), draw(2, 4), draw(4, 400)) for _ in range(depth))
    gates = tuple(draw(TIME, BATCH, 5, 5, 16) for _ in range(depth))
    return core, cells, gates, jnp.asarray(rng.random((TIME, BATCH)) < 0.3)


def by_hand(repeats, variant, core, cells, gates, is_first):
    """`unroll_ticks`, tick after tick."""
    hidden = []
    for time in range(TIME):
        core = clear(core, is_first[time])
        for _ in range(repeats):
            core, _ = tick(core, tuple(gate[time] for gate in gates), cells, variant)
        hidden.append(core[-1].hidden)
    return core, jnp.stack(hidden)


@pytest.mark.parametrize("repeats", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_ticks_by_scan_are_ticks_by_hand_and_so_are_their_gradients(repeats):
    core, cells, gates, is_first = stack(depth=2)
    assert is_first.any()

    def loss(unroll, core, cells, gates):
        after, hidden = unroll(repeats, VARIANTS["open"], core, cells, gates, is_first)
        return jnp.sum(jnp.sin(hidden)) + sum(jnp.sum(jnp.cos(x)) for x in jax.tree.leaves(after))

    def values(unroll):
        arguments = core, cells, gates
        return (
            quick_jit(lambda *a: unroll(repeats, VARIANTS["open"], *a, is_first))(*arguments),
            quick_jit(jax.grad(partial(loss, unroll), argnums=(0, 1, 2)))(*arguments),
        )

    (found, found_gradient), (expected, gradient) = values(unroll_ticks), values(by_hand)
    assert_close(found, expected, atol=1e-5)
    assert_close(found_gradient, gradient, atol=1e-4)
    assert all(np.max(np.abs(x)) > 1e-3 for x in jax.tree.leaves(gradient))


def test_repeats_are_the_same_observation_shown_so_often():
    """DRC(2, 3) after one step is DRC(2, 1) after three steps on the same observation."""
    apply, params, network, observation, _ = case(depth=2, repeats=3)
    once, *_ = case(depth=2, repeats=1)
    core = noise(network.initial_core(BATCH), seed=2)
    shown = jax.tree.map(lambda x: x[:1], observation)
    first = jnp.asarray([[True, False, True]])
    output, after = apply(params, shown, first, core)
    thrice = jax.tree.map(lambda x: jnp.repeat(x, 3, axis=0), shown)
    firsts = jnp.concatenate([first, jnp.zeros((2, BATCH), bool)])
    expected, expected_core = once(params, thrice, firsts, core)
    np.testing.assert_allclose(output.logits[0], expected.logits[-1], atol=1e-5)
    assert_close(after, expected_core)
    assert not np.allclose(expected.logits[0], expected.logits[-1], atol=1e-3)


def test_clear_zeroes_the_boards_that_begin():
    core = noise(drc_network(DRCConfig(**SMALL), SPEC).initial_core(2), seed=0)
    for before, after in zip(core, clear(core, jnp.array([True, False])), strict=True):
        for x, y in zip(before, after, strict=True):
            assert not np.any(y[0])
            np.testing.assert_array_equal(x[1], y[1])


@pytest.mark.parametrize(("kind", "size"), [("planes", 7), ("pixels", 7), ("sprites", 7)])
def test_the_core_has_the_boards_size_whatever_is_shown(kind, size):
    spec = board_spec(kind, size=size)
    network = drc_network(DRCConfig(depth=2, **SMALL), spec)
    assert [x.shape for x in jax.tree.leaves(network.initial_core(3))] == [(3, 7, 7, 4)] * 4
