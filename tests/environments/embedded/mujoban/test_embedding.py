"""MuJoBan as a game: starts, pads and rewards, ends, overlaps, levels of all kinds."""

from typing import Any

import dm_env
import numpy as np
import pytest

from agents.scripted import make_scripted
from environments import load
from environments.embedded.base import NO_ACTION
from environments.errors import UserError
from environments.games.sokoban import rules
from environments.games.sokoban.sources import load_levels
from tests.environments.embedded.mujoban.rooms import HALL, write_levels

WALL, TARGET, PLAYER, BOX = range(4)
PAIR = ("#########", "#@  $  .#", "#   $  .#", "#########")
IDLE = np.zeros(3, np.float32)
X, BOXES = 0, 6  # in qpos


def make(folder, *levels, **options) -> Any:
    environment: Any = load("mujoban", levels=write_levels(folder, *levels), **options)
    environment.reset_to(0)
    return environment


def move_box(environment, box: int, dx: float = 0.0, dy: float = 0.0) -> None:
    """Puts a box elsewhere, by so many metres."""
    environment.simulation.data.qpos[BOXES + 3 * box :][:2] += (dx, dy)


@pytest.mark.parametrize("seed", range(3))
def test_an_episode_starts_as_the_level_has_it(tmp_path, seed):
    environment = make(tmp_path, PAIR, seed=seed)
    expected = load_levels("\n".join(PAIR))[0]
    np.testing.assert_array_equal(environment.planes(), rules.planes(rules.initial_state(expected)))
    state = environment.state
    np.testing.assert_array_equal(state.level.walls, expected.walls)
    np.testing.assert_array_equal(state.boxes, expected.boxes)
    assert state.player == expected.player
    assert not environment.simulation.data.qvel.any()
    assert environment.info == {"outcome": -1, "overlap": False, "overlaps": 0, "active_pads": 0}


def test_the_walker_faces_anywhere(tmp_path):
    environment = make(tmp_path, PAIR)
    yaws = []
    for _ in range(200):
        environment.reset()
        yaws.append(environment.simulation.data.qpos[3])
    assert min(yaws) < -2.8
    assert max(yaws) > 2.8
    assert abs(np.mean(yaws)) < 0.4  # three standard errors


def test_pads_reward_and_solve(tmp_path):
    environment = make(tmp_path, PAIR)
    assert environment.step(IDLE).reward == 0
    move_box(environment, 0, dx=3)
    step = environment.step(IDLE)
    assert (step.reward, step.last()) == (1, False)
    assert environment.info["active_pads"] == 1
    assert environment.step(IDLE).reward == 0
    move_box(environment, 0, dx=-0.2)
    assert environment.step(IDLE).reward == -1
    move_box(environment, 0, dx=0.2)
    move_box(environment, 1, dx=3)
    step = environment.step(IDLE)
    assert (step.reward, step.discount, step.last()) == (12, 0, True)
    assert environment.outcome == "solved"
    assert environment.info["outcome"] == environment.spec.outcomes.index("solved")
    assert environment.step(IDLE).first()
    assert environment.info["active_pads"] == 0


def test_boxes_that_change_pads_within_a_step_earn_nothing(tmp_path):
    environment = make(tmp_path, PAIR)
    move_box(environment, 0, dx=3)
    assert environment.step(IDLE).reward == 1
    move_box(environment, 0, dy=-1)
    move_box(environment, 1, dx=1, dy=1)
    assert environment.step(IDLE).reward == 0


@pytest.mark.parametrize(
    ("off", "tolerance", "active"),
    [(-0.09, 0, 1), (-0.11, 0, 0), (-0.11, 0.02, 1), (-0.3, 0.25, 1), (-0.4, 0.25, 0)],
)
def test_how_far_a_box_may_stick_out(tmp_path, off, tolerance, active):
    environment = make(tmp_path, PAIR, tolerance=tolerance)
    move_box(environment, 0, dx=3 + off, dy=-off / 2)
    environment.step(IDLE)
    assert environment.info["active_pads"] == active


def test_a_box_that_starts_on_a_pad_earns_nothing(tmp_path):
    environment = make(tmp_path, ("#######", "#@* $.#", "#######"))
    assert environment.info["active_pads"] == 1
    assert environment.step(IDLE).reward == 0
    move_box(environment, 0, dx=0.3)
    assert environment.step(IDLE).reward == -1


def test_the_time_limit_is_a_truncation(tmp_path):
    environment = make(tmp_path, PAIR, control_step=0.05, time_limit=0.2)
    steps = [environment.step(IDLE) for _ in range(4)]
    assert [step.last() for step in steps] == [False, False, False, True]
    assert all(step.discount == 1 for step in steps)
    assert environment.outcome == "unsolved"
    assert environment.simulation.data.time == pytest.approx(0.2)


def test_the_default_limit_is_a_thousand_seconds(tmp_path):
    environment = make(tmp_path, PAIR)
    assert environment._limit == 10_000
    assert environment.simulation.control_step == pytest.approx(0.1)


def test_what_is_made_is_the_action_that_leads_to_the_board(tmp_path):
    """Moves and pushes are actions; a box that moves otherwise is none; else nothing is made."""
    environment = make(tmp_path, ("######", "#@ $.#", "#    #", "######"), seed=2)
    environment.reset()
    script, rng = make_scripted(environment), np.random.default_rng(0)
    step, made = environment.reset(), []
    while not step.last():
        before = environment.state
        control = script(step)
        progress = environment.embedding.advance(control, rng)
        made.append(progress.made)
        now = rules.planes(environment.state)
        if progress.made is None:
            np.testing.assert_array_equal(now, rules.planes(before))
        else:
            after = rules.apply(before, progress.made)
            assert after is not before
            np.testing.assert_array_equal(now, rules.planes(after))
        if progress.outcome is not None:
            break
        step = step._replace(step_type=dm_env.StepType.MID)
    right = rules.MOVES.index((0, 1))
    assert [action for action in made if action is not None] == [right, right]
    environment.reset()
    move_box(environment, 0, dy=-1.0)
    assert environment.embedding.advance(IDLE, rng).made == NO_ACTION
    assert environment.embedding.advance(IDLE, rng).made is None


def test_overlaps_are_flagged_and_the_board_stays_sound(tmp_path):
    environment = make(tmp_path, PAIR, control_step=0.001)
    move_box(environment, 0, dy=1)  # into the wall above
    environment.simulation.data.qpos[X] -= 2  # likewise
    environment.step(IDLE)
    assert environment.info["overlap"]
    assert environment.info["overlaps"] == 2
    np.testing.assert_array_equal(
        environment.planes(), rules.planes(rules.initial_state(environment.state.level))
    )


def test_a_walker_over_a_box_keeps_its_cell(tmp_path):
    environment = make(tmp_path, PAIR, control_step=0.001)
    qpos = environment.simulation.data.qpos
    qpos[X : X + 3] = qpos[BOXES], qpos[BOXES + 1], 1.0
    planes = environment.step(IDLE).observation["planes"]
    assert planes[1, 1, PLAYER]
    assert planes[..., PLAYER].sum() == 1
    assert environment.info["overlaps"] == 1


def test_levels_of_one_set_may_differ_in_boxes_and_walls(tmp_path):
    one = ("#######", "#@ $ .#", "#######")
    maze = ("#######", "# $ . #", "# # # #", "# #@# #", "# # # #", "#.  $ #", "#######")
    environment = make(tmp_path, one, maze, control_step=0.02)
    rng = np.random.default_rng(0)
    sizes = set()
    for index in (0, 1, 0, 1):
        environment.reset_to(index)
        sizes.add(environment.simulation.model.nq)
        for _ in range(5):
            environment.step(rng.uniform(-1, 1, 3))
        planes = environment.planes()
        level = environment.state.level
        np.testing.assert_array_equal(planes[..., WALL], level.walls)
        assert planes[..., BOX].sum() == planes[..., TARGET].sum() == level.boxes.sum() == index + 1
    assert sizes == {9, 12}


@pytest.mark.parametrize(("height", "width"), [(3, 5), (20, 20), (5, 20)])
def test_boards_of_many_sizes(tmp_path, height, width):
    inside = ["@$." + " " * (width - 5), *[" " * (width - 2)] * (height - 3)]
    rows = ["#" * width, *(f"#{row}#" for row in inside), "#" * width]
    environment = make(tmp_path, rows, control_step=0.02, top_camera=(8, 8))
    assert environment.step(IDLE).observation["planes"].shape == (height, width, 4)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["#" * 21, "#@$." + " " * 16 + "#", "#" * 21], "levels of 3x21 do not fit a 20x20 board"),
        (["####", "#@$#", "####"], "boxes and targets differ"),
        (["#####", "#@x.#", "#####"], "unknown symbol 'x'"),
    ],
)
def test_levels_that_cannot_be_played_are_refused_in_one_line(tmp_path, rows, message):
    with pytest.raises(UserError, match=message) as error:
        make(tmp_path, rows)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"control_step": 0.0005}, "control_step must be a multiple of 0.001"),
        ({"control_step": 0.0015}, "control_step must be a multiple of 0.001"),
        ({"control_step": float("nan")}, "control_step must be"),
        ({"time_limit": 0.05}, "time_limit must be at least control_step=0.1"),
        ({"time_limit": float("inf")}, "time_limit must be .* finite"),
        ({"tolerance": 0.5}, "tolerance must be in 0 to 0.4, not 0.5"),
        ({"tolerance": float("nan")}, "tolerance must be"),
        ({"observations": ()}, "observations must name at least one"),
        ({"observations": ("plane",)}, "did you mean 'planes'"),
        ({"top_camera": (0, 10)}, "top_camera must be two sizes"),
        ({"egocentric_camera": (10, 5000)}, "egocentric_camera must be two sizes"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_one_line(tmp_path, options, message):
    with pytest.raises(UserError, match=message) as error:
        make(tmp_path, PAIR, **options)
    assert "\n" not in str(error.value)


def test_pegs_stand_at_the_corners_of_cells(tmp_path):
    model = make(tmp_path, PAIR, pegs=True).simulation.model
    pegs = [i for i in range(model.ngeom) if model.geom(i).name.startswith("peg")]
    assert len(pegs) == 3 * 8
    np.testing.assert_allclose(model.geom_pos[pegs[0]], [-3.5, 1, 0.125])


def test_generated_levels_can_be_embedded():
    environment: Any = load("mujoban", levels="generated:size=6,boxes=1,count=5,seed=0")
    assert environment.num_levels == 5
    assert environment.reset().observation["planes"].shape == (6, 6, 4)


def load_any(source: str) -> Any:
    return load("mujoban", levels=source)


def test_worlds_share_their_levels_until_the_file_changes(tmp_path):
    source = write_levels(tmp_path, PAIR)
    first, second = (load_any(source) for _ in range(2))
    assert second.embedding._levels is first.embedding._levels
    write_levels(tmp_path, PAIR, HALL)
    assert load_any(source).num_levels == 2
