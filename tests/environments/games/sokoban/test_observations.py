"""What Sokoban shows: every kind of cell, both array libraries, the specs."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

from environments.errors import UserError
from environments.games.sokoban import observations, rules
from environments.games.sokoban.registration import OBSERVATION_KINDS
from tests.agents.toy import quick_jit
from tests.environments.games.sokoban.boards import level, random_levels

# One cell of every kind, with the player beside a target and on one.
ROWS = ("#######", "# .$*@#", "#######"), ("#######", "# .$*+#", "#######")
GREY, BLACK, RED = (128, 128, 128), (0, 0, 0), (255, 0, 0)
YELLOW, GREEN, BLUE = (255, 255, 0), (0, 255, 0), (0, 0, 255)


def planes(rows) -> np.ndarray:
    return rules.planes(rules.initial_state(level(*rows)))


@pytest.mark.parametrize("rows", ROWS)
def test_pixels_have_mujobans_colours(rows):
    image = observations.pixels(planes(rows))
    expected = [GREY, BLACK, RED, YELLOW, GREEN, BLUE, GREY]
    np.testing.assert_array_equal(image[1], expected)
    np.testing.assert_array_equal(image[0], [GREY] * 7)


def test_sprites_tell_every_kind_of_cell_apart():
    assert len({sprite.tobytes() for sprite in observations.SPRITES}) == len(observations.CELLS)


@pytest.mark.parametrize("rows", ROWS)
def test_a_sprite_lies_at_its_cell(rows):
    board = planes(rows)
    image, kinds = observations.sprites(board), observations.cells(board)
    names = [observations.CELLS[kind] for kind in kinds[1, 1:6]]
    player = "player on target" if "+" in rows[1] else "player"
    assert names == ["floor", "target", "box", "box on target", player]
    for (row, column), kind in np.ndenumerate(kinds):
        tile = image[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        np.testing.assert_array_equal(tile, observations.SPRITES[kind])


@given(random_levels(shape=(5, 7)))
def test_numpy_and_jax_agree_and_keep_to_the_specs(start):
    board = rules.planes(rules.initial_state(start))
    ours = observations.observe(OBSERVATION_KINDS, board, np)
    theirs = observations.observe(OBSERVATION_KINDS, jnp.asarray(board), jnp)
    assert set(ours) == set(theirs) == set(OBSERVATION_KINDS)
    for kind in OBSERVATION_KINDS:
        spec = observations.observation_spec(kind, start.shape)
        spec.validate(ours[kind])
        spec.validate(np.asarray(theirs[kind]))
        np.testing.assert_array_equal(ours[kind], theirs[kind])


def test_leading_dimensions_and_jit():
    boards = np.stack([planes(rows) for rows in ROWS])[None]  # [1, 2, 3, 7, 4]
    jitted = quick_jit(lambda x: observations.observe(OBSERVATION_KINDS, x, jnp))(boards)
    for kind, batch in observations.observe(OBSERVATION_KINDS, boards, np).items():
        np.testing.assert_array_equal(jitted[kind], batch)
        for i, rows in enumerate(ROWS):
            single = observations.observe([kind], planes(rows), np)[kind]
            np.testing.assert_array_equal(batch[0, i], single)


def test_an_unknown_kind_is_refused():
    with pytest.raises(UserError, match="did you mean 'pixels'"):
        observations.observation_spec("pixel", (3, 3))
