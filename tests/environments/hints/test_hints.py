"""Hints on embedded games: what is told, what it adds to the reward; nothing else changes."""

from typing import Any

import numpy as np
import pytest

from agents.scripted import make_scripted
from environments import load, load_vector
from environments.embedded.environment import EmbeddedEnvironment
from environments.embedded.mujoban.embedding import Mujoban
from environments.embedded.mujoban.registration import MujobanOptions
from environments.errors import UserError
from environments.games.sokoban import rules
from environments.games.sokoban.sources import load_levels
from environments.hints.embedding import HintedEmbedding
from environments.hints.make import with_hints
from environments.hints.options import HintOptions
from environments.players.sokoban.solver import solve
from tests.environments.cases import MUJOBAN_LEVELS
from tests.environments.embedded.boards.arm import STILL, Scripted, embedded, fist_on
from tests.environments.embedded.mujoban.rooms import write_levels
from tests.environments.embedded.mujoban.test_embedding import move_box

LEVELS = "generated:size=5,boxes=1,count=20,seed=0"


def mujoban(**hints) -> EmbeddedEnvironment:
    options = HintOptions(expert="solver", **hints)
    environment = load("mujoban", seed=1, levels=LEVELS, time_limit=20.0, hints=options)
    assert isinstance(environment, EmbeddedEnvironment)
    return environment


def mujoxo(expert: list[int], replies: list[int], **hints) -> tuple:
    """Tic-tac-toe whose expert and opponent have their minds made up; embedding and environment."""
    inner = embedded("tic_tac_toe", *replies)
    hinted = HintedEmbedding(inner, Advised(inner, expert), HintOptions("x", **hints))
    environment = EmbeddedEnvironment(hinted, time_limit=60.0)
    environment.reset()
    return inner, environment


class Advised(Scripted):
    """Advises the given cells, with the boards after them."""

    def __init__(self, embedding, actions):
        super().__init__(*actions)
        self._planes = embedding.planes

    def advise(self, state, deadline=None):
        advice = super().advise(state)
        if advice.action is None:
            return advice
        planes = self._planes()
        cell = divmod(advice.action, 3)
        planes[(*cell, 0)], planes[(*cell, 1)] = False, True
        return type(advice)("advised", advice.action, planes)


def test_the_solvers_advice_is_shown():
    environment = mujoban()
    shown = environment.reset().observation
    state = environment.state
    action = solve(state).actions[0]
    assert shown["hint/present"]
    assert np.flatnonzero(shown["hint/action"]).tolist() == [action]
    np.testing.assert_array_equal(shown["hint/planes"], rules.planes(rules.apply(state, action)))
    assert environment.info["hints_given"] == 1


@pytest.mark.parametrize(
    ("kind", "keys"),
    [("none", ()), ("action", ("action",)), ("planes", ("planes",)), ("target", ("target",)),
     ("both", ("action", "planes"))],
)  # fmt: skip
def test_what_is_told_is_a_choice(kind, keys):
    environment = mujoban(kind=kind)
    found = {key.removeprefix("hint/") for key in environment.observation_spec() if "hint" in key}
    assert found == {"present", *keys}


def test_the_target_is_seen_from_the_ball():
    environment = mujoban(kind="target")
    for level in range(5):
        shown = environment.reset_to(level).observation
        state, data = environment.state, environment.simulation.data
        row, column = rules.MOVES[solve(state).actions[0]]
        pushes = state.boxes[state.player[0] + row, state.player[1] + column]
        # Where a box is pushed the ball stops 0.6 m before the middle of its next cell.
        away = (1.4 if pushes else 1.0) * np.array([column, -row])
        heading = environment.simulation.model.body("walker/head_body").id
        face = data.xmat[heading].reshape(3, 3)[:2, 1]
        right = data.xmat[heading].reshape(3, 3)[:2, 0]
        np.testing.assert_allclose(shown["hint/target"], [away @ right, away @ face, 0], atol=1e-5)


def test_a_script_that_plays_the_experts_plan_reaches_what_is_hinted():
    environment = mujoban(reached=1.0, missed=10.0)
    reached = given = 0
    for level in range(4):
        script, step = make_scripted(environment), environment.reset_to(level)
        auxiliary = 0.0
        while not step.last():
            step = environment.step(script(step))
            auxiliary += float(environment.info["auxiliary_reward"])
        assert environment.outcome == "solved"
        reached += int(environment.info["hints_reached"])
        given += int(environment.info["hints_given"])
        assert auxiliary >= 1
    assert reached / given > 0.8


def test_pressing_what_is_hinted_and_what_is_not():
    inner, environment = mujoxo([4, 0, 8], [1, 2], reached=0.25, missed=0.5)
    assert environment.observation()["hint/action"].tolist() == [False] * 4 + [True] + [False] * 4
    fist_on(inner, 1, 1)
    step = environment.step(STILL)
    assert step.reward == pytest.approx(0.25)
    assert environment.info["hints_reached"] == 1
    fist_on(inner, 2, 0)  # hinted is cell 0
    step = environment.step(STILL)
    assert step.reward == pytest.approx(-0.5)
    info = {key: value.item() for key, value in environment.info.items()}
    assert (info["hints_given"], info["hints_reached"]) == (3, 1)
    assert info["auxiliary_reward"] == pytest.approx(-0.5)
    assert environment.observation()["hint/action"][8]


@pytest.mark.parametrize(("cell", "outcome"), [((1, 1), "win"), ((0, 2), "loss")])
def test_a_single_move_is_won_if_it_is_the_hinted_one(cell, outcome):
    inner, environment = mujoxo([4], [1], single=True)
    fist_on(inner, *cell)
    step = environment.step(STILL)
    assert step.last()
    assert (environment.outcome, step.discount) == (outcome, 0)
    assert step.reward == (outcome == "win")


def test_an_expert_that_fails_leaves_the_game_without_hints():
    inner, environment = mujoxo([4], [1, 2], reached=1.0, missed=1.0, shaping=1.0)
    fist_on(inner, 1, 1)
    environment.step(STILL)
    shown = environment.observation()
    assert not shown["hint/present"]
    assert not shown["hint/planes"].any()
    fist_on(inner, 2, 0)
    # No hint, no reward for it; a potential that stays costs nothing but its discount.
    assert abs(environment.step(STILL).reward) < 0.02


@pytest.mark.parametrize("seed", range(3))
def test_shaping_adds_up_to_the_potentials_at_the_ends(seed):
    """Whatever happens between, hints that change included: the best policy stays the best."""
    options = HintOptions("solver", "target", shaping=2.0, discount=0.9)
    plain, environment = (
        load("mujoban", seed=1, levels=str(MUJOBAN_LEVELS), time_limit=6.0, hints=hints)
        for hints in (HintOptions(), options)
    )
    assert isinstance(environment, EmbeddedEnvironment)
    plain.reset()
    step = environment.reset()
    moves = len(solve(environment.state).actions)
    first = 2.0 * (np.linalg.norm(step.observation["hint/target"]) + moves - 1)
    rng, total, weight = np.random.default_rng(seed), 0.0, 1.0
    while not step.last():
        action = rng.uniform(-1, 1, 3).astype(np.float32)
        step, own = environment.step(action), plain.step(action)
        total += weight * (float(step.reward) - float(own.reward))
        weight *= 0.9
        for key, value in own.observation.items():  # nothing else changes
            np.testing.assert_array_equal(step.observation[key], value)
    assert environment.info["hints_given"] > 1
    assert isinstance(environment.embedding, HintedEmbedding)
    last = -environment.embedding._potential
    assert total == pytest.approx(first - weight * last, abs=1e-3)


def test_where_the_game_ends_the_potential_is_none():
    inner, environment = mujoxo([0, 1, 2], [3, 4], shaping=1.0, discount=1.0)
    position, _ = inner.body()
    first, total = float(np.linalg.norm(inner.aim(0) - position)), 0.0
    for cell in range(3):
        fist_on(inner, 0, cell)
        step = environment.step(STILL)
        total += float(environment.info["auxiliary_reward"])
    assert step.last()
    assert environment.outcome == "win"
    assert step.discount == 0
    assert total == pytest.approx(first, abs=1e-4)


def test_potentials_count_the_way_that_is_still_to_go():
    """A script that solves the level is paid for every metre of its way, and nothing is taken."""
    environment = mujoban(kind="target", shaping=1.0, discount=1.0)
    step = environment.reset_to(3)
    moves = len(solve(environment.state).actions)
    first = float(np.linalg.norm(step.observation["hint/target"]))
    script, paid = make_scripted(environment), []
    while not step.last():
        step = environment.step(script(step))
        paid.append(float(environment.info["auxiliary_reward"]))
    assert environment.outcome == "solved"
    assert sum(paid) == pytest.approx(first + moves - 1, abs=1e-4)
    assert moves > 3
    assert min(paid) > -0.5  # pushing, the next target is a little further than the last was near


def test_hints_that_are_dropped_out_are_not_shown_but_reward():
    environment = mujoban(kind="both", dropout=1.0, shaping=1.0)
    step = environment.reset()
    auxiliary = 0.0
    for _ in range(20):
        assert not step.observation["hint/present"]
        assert not step.observation["hint/action"].any()
        assert not step.observation["hint/planes"].any()
        step = environment.step(np.array([1, 0.3, 0], np.float32))
        auxiliary += abs(float(environment.info["auxiliary_reward"]))
    assert auxiliary > 0
    environment = mujoban(dropout=0.5)
    shown = [bool(environment.reset_to(0).observation["hint/present"]) for _ in range(60)]
    assert 15 < sum(shown) < 45


def test_a_slow_expert_stalls_nobody():
    options = HintOptions("mcts(simulations=20000)", "both", wait=0.0)
    with load_vector("mujogo", 2, size=5, seed=0, opponent="random", hints=options) as worlds:
        shown = worlds.reset()
        assert not shown.observation["hint/present"].any()
        for _ in range(3):
            shown = worlds.step(np.zeros((2, 9), np.float32))
        assert not shown.observation["hint/present"].any()


@pytest.mark.parametrize(
    ("name", "expert", "said"),
    [
        ("mujoban", "optimal", "Sokoban's experts are solver"),
        ("mujoxo", "solver", "no player 'solver'"),
        ("mujogo", "optimal", "optimal"),
        ("mujoxo", "gnugo(level=1)", "gnugo"),
    ],
)
def test_the_wrong_expert_is_refused_in_one_line(name, expert, said):
    options: dict[str, Any] = {"levels": LEVELS} if name == "mujoban" else {}
    with pytest.raises(UserError, match=said) as error:
        load(name, hints=HintOptions(expert), **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("until_lost", [False, True])
def test_an_episode_ends_when_the_solver_has_proved_it_lost(until_lost, tmp_path):
    levels = write_levels(tmp_path, ("#####", "#@  #", "# $.#", "#   #", "#####"))
    hints = HintOptions("solver", until_lost=until_lost)
    environment = load("mujoban", levels=levels, time_limit=20.0, hints=hints)
    assert isinstance(environment, EmbeddedEnvironment)
    still = np.zeros(3, np.float32)
    for _ in range(2):  # the second time as the first
        assert environment.reset().observation["hint/present"]
        assert not environment.step(still).last()
        move_box(environment, 0, dy=-1.0)  # to the lowest row: never again to the one above
        step = environment.step(still)
        assert not step.observation["hint/present"]
        assert step.last() == until_lost
        assert step.discount == (0 if until_lost else 1)
        assert environment.outcome == ("unsolved" if until_lost else None)


def test_lost_games_are_of_sokoban():
    with pytest.raises(UserError, match=r"hints.until_lost is for Sokoban"):
        load("mujoxo", hints=HintOptions("optimal", until_lost=True))


def test_what_is_read_from_pictures_proves_nothing_lost():
    embedding = Mujoban(load_levels(LEVELS), MujobanOptions(levels=LEVELS))
    hints = HintOptions("solver", until_lost=True)
    with pytest.raises(UserError, match=r"hints.until_lost cannot go with perception"):
        with_hints(embedding, hints, "sokoban", (5, 5), seed=0, seen=True)


def test_single_moves_are_of_board_games():
    with pytest.raises(UserError, match=r"hints.single is for board games"):
        mujoban(single=True)


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "word"}, {"reached": -1}, {"shaping": np.nan}, {"dropout": 1.5}, {"discount": 0},
     {"wait": np.inf}, {"expert": "", "shaping": 1.0}],
)  # fmt: skip
def test_wrong_options_are_refused_in_one_line(wrong):
    with pytest.raises(UserError, match="hint") as error:
        HintOptions(**({"expert": "solver"} | wrong))
    assert "\n" not in str(error.value)
