"""Hints on embedded games: what is told, what it adds to the reward; nothing else changes."""

import threading
from typing import Any

import numpy as np
import pytest

from agents.scripted import make_scripted
from environments import load
from environments.embedded.boards.embedding import BoardEmbedding
from environments.embedded.boards.spec import board_for
from environments.embedded.environment import EmbeddedEnvironment
from environments.embedded.mujoban.embedding import Mujoban
from environments.embedded.mujoban.registration import MujobanOptions
from environments.errors import UserError
from environments.games.board.game import board_game
from environments.games.sokoban import rules
from environments.games.sokoban.sources import load_levels
from environments.hints import adviser
from environments.hints.embedding import HintedEmbedding
from environments.hints.make import with_hints
from environments.hints.options import HintOptions
from environments.players.base import Advice
from environments.players.board_advice import GAME_OVER, advice_to_play
from environments.players.random import RandomPlayer
from environments.players.sokoban.solver import solve
from environments.vector import threads
from environments.vector.threads import ThreadedWorlds
from tests.environments.cases import MUJOBAN_LEVELS
from tests.environments.embedded.boards.arm import STILL, Scripted, embedded, fist_on, hand_at
from tests.environments.embedded.mujoban.rooms import write_levels
from tests.environments.embedded.mujoban.test_embedding import move_box

LEVELS = "generated:size=5,boxes=1,count=20,seed=0"


def mujoban(**hints) -> EmbeddedEnvironment:
    options = HintOptions(expert="solver", wait=120.0, **hints)  # it may have to be compiled
    environment = load("mujoban", seed=1, levels=LEVELS, time_limit=20.0, hints=options)
    assert isinstance(environment, EmbeddedEnvironment)
    return environment


def board(game: str, expert: list[int], replies: list[int], **hints) -> tuple:
    """A game whose expert and opponent have their minds made up; embedding and environment."""
    inner = embedded(game, *replies)
    options = HintOptions("x", wait=60.0, **hints)
    environment = EmbeddedEnvironment(
        HintedEmbedding(inner, Advised(*expert), options), time_limit=60.0
    )
    environment.reset()
    return inner, environment


def mujoxo(expert: list[int], replies: list[int], **hints) -> tuple:
    return board("tic_tac_toe", expert, replies, **hints)


class Advised(Scripted):
    """Advises the given actions, with the boards after them."""

    def advise(self, state, deadline=None):
        action = super().advise(state).action
        return Advice("failed") if action is None else advice_to_play(state, action)


def press(environment, action: int):
    """Puts the fist where `action` aims; the time step after it."""
    inner = environment.embedding.innermost
    hand_at(inner, inner.aim(action))
    return environment.step(STILL)


def hinted_at(environment) -> int | None:
    """The action of the hint that is shown, which is legal; None if there is none."""
    shown = environment.observation()
    if not shown["hint/present"]:
        assert not shown["hint/action"].any()
        return None
    (action,) = np.flatnonzero(shown["hint/action"]).tolist()
    assert shown["legal_actions"][action]
    return action


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


PASS = 25
FOLLOWED = {  # the game, what the expert says, what the opponent answers
    "a pass": ("go(board_size=5)", [PASS, 12], [0, 1]),
    "a stone that is taken at once": ("go(board_size=5)", [24, 0, 12], [1, 5, 2]),
    "a stone that takes another": ("go(board_size=5)", [1, 5, 12], [0, 24, 23]),
    "a stone that is turned over at once": ("othello", [19, 26], [18, 34]),
    "a stone that falls": ("connect_four", [3, 3], [3, 2]),
}


@pytest.mark.parametrize("case", FOLLOWED)
def test_following_a_hint_counts_and_pays_whatever_the_answer(case):
    game, expert, replies = FOLLOWED[case]
    _, environment = board(game, expert, replies, reached=0.25, missed=0.5)
    for count, (action, reply) in enumerate(zip(expert, replies, strict=True), 1):
        assert hinted_at(environment) == action
        step = press(environment, action)
        assert environment.state.history[-2:] == (action, reply)
        assert step.reward == pytest.approx(0.25)
        assert environment.info["hints_reached"] == count


@pytest.mark.parametrize(
    ("game", "hinted", "pressed", "reply"),
    [
        ("othello", 19, 26, 18),  # the same stone of the opponent is turned over
        ("go(board_size=5)", 7, PASS, 0),
        ("go(board_size=5)", PASS, 7, 0),
        ("connect_four", 3, 2, 3),
    ],
)
def test_another_action_misses_the_hint_whatever_it_does_to_the_board(game, hinted, pressed, reply):
    _, environment = board(game, [hinted], [reply], reached=0.25, missed=0.5)
    step = press(environment, pressed)
    assert environment.state.history == (pressed, reply)
    assert step.reward == pytest.approx(-0.5)
    assert environment.info["hints_reached"] == 0


def test_following_the_second_of_two_passes_pays_both_the_hint_and_the_game():
    _, environment = board("go(board_size=5,komi=0.5)", [12, PASS], [PASS], reached=0.25)
    press(environment, 12)
    assert hinted_at(environment) == PASS
    step = press(environment, PASS)
    assert step.last()
    assert (environment.outcome, step.reward) == ("win", pytest.approx(1.25))
    assert environment.info["hints_reached"] == 2


@pytest.mark.parametrize("single", [False, True])
def test_no_pass_is_hinted_where_the_agent_may_not_pass(single):
    _, environment = board("go(board_size=5)", [PASS] * 3, [0, 1], missed=0.5, single=single)
    assert hinted_at(environment) == PASS
    step = press(environment, PASS)
    assert step.last() == single
    if single:
        assert environment.outcome == "win"
        return
    assert not step.observation["legal_actions"][PASS]
    assert hinted_at(environment) is None
    assert press(environment, 12).reward == 0  # what misses no hint costs nothing
    assert hinted_at(environment) == PASS
    assert environment.info["hints_given"] == 2


class Whim:
    """Advises any legal action, a pass as readily as another."""

    def __init__(self, seed: int):
        self._rng = np.random.default_rng(seed)

    def advise(self, state, deadline=None) -> Advice:
        if not state.legal.any():
            return GAME_OVER
        return advice_to_play(state, self._rng.choice(np.flatnonzero(state.legal)))

    def snapshot(self) -> Any: ...

    def restore(self, snapshot: Any) -> None: ...

    def reseed(self, seed: int) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize(
    "name", ["go(board_size=5)", "othello", "connect_four", "hex(board_size=4)"]
)
def test_whole_games_count_every_hint_that_was_followed_and_no_other(name, follows):
    game = board_game(name)
    inner = BoardEmbedding(game, board_for(game), RandomPlayer(1))
    options = HintOptions("x", wait=60.0, reached=0.25, missed=0.5)
    environment = EmbeddedEnvironment(HintedEmbedding(inner, Whim(2), options), time_limit=60.0)
    step, rng, followed, missed = environment.reset(), np.random.default_rng(3), 0, 0
    while not step.last():
        hint, legal = hinted_at(environment), step.observation["legal_actions"]
        others = np.flatnonzero(legal & (np.arange(len(legal)) != hint))
        action = int(rng.choice(others)) if len(others) and not (follows and hint) else hint
        assert action is not None
        step = press(environment, action)
        assert (environment.state.history[-2:]).count(action)
        followed += action == hint
        missed += hint is not None and action != hint
        paid = 0.25 * (action == hint) - 0.5 * (hint is not None and action != hint)
        assert environment.info["auxiliary_reward"] == pytest.approx(paid)
    assert environment.info["hints_reached"] == followed
    assert environment.info["hints_given"] == followed + missed
    assert (followed if follows else missed) > 3


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


class Thinker(Whim):
    """Answers once it may."""

    def __init__(self):
        super().__init__(0)
        self.may, self.closed = threading.Event(), threading.Event()

    def advise(self, state, deadline=None) -> Advice:
        assert self.may.wait(60)
        return super().advise(state)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def thinkers():
    """Experts that do not answer before the test is over, unless it lets them."""
    experts = [Thinker() for _ in range(2)]
    yield experts
    for expert in experts:
        expert.may.set()


def thinking(thinkers, wait: float) -> ThreadedWorlds:
    """Worlds of tic-tac-toe with these experts."""

    def build(index: int) -> EmbeddedEnvironment:
        options = HintOptions("x", "both", wait=wait)
        hinted = HintedEmbedding(embedded("tic_tac_toe", 0), thinkers[index], options)
        return EmbeddedEnvironment(hinted, time_limit=60.0)

    return ThreadedWorlds(build, len(thinkers))


def test_a_slow_expert_stalls_nobody(thinkers, monkeypatch):
    """Not a step, nor the end: the experts have not answered until all is over."""
    monkeypatch.setattr(adviser, "PARTING", 0.01)
    with thinking(thinkers, wait=0.0) as worlds:
        shown = worlds.reset()
        assert not shown.observation["hint/present"].any()
        for _ in range(3):
            shown = worlds.step(np.zeros((2, 9), np.float32))
        assert not shown.observation["hint/present"].any()
    assert all(expert.closed.is_set() for expert in thinkers)


def test_worlds_that_wait_for_an_expert_end_by_themselves(thinkers, monkeypatch, caplog):
    monkeypatch.setattr(threads, "_EXIT_TIMEOUT", 0.01)
    worlds = thinking(thinkers, wait=120.0)
    worlds.send(np.zeros((2, 9), np.float32))  # the first step is a reset
    worlds.close()
    assert "worlds 0, 1: still busy" in caplog.text
    assert not any(expert.closed.is_set() for expert in thinkers)
    for expert in thinkers:
        expert.may.set()
    assert all(expert.closed.wait(60) for expert in thinkers)


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
