"""The dm_env face and the batched face of the board games agree step by step."""

import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from environments.games.board.environment import BoardEnvironment
from environments.games.board.game import board_game
from environments.games.board.registration import (
    BoardGameOptions,
    GoOptions,
    TicTacToeOptions,
)
from environments.games.board.rules import superko
from environments.players.base import Advice
from environments.registry import build_batched, load_vector
from tests.agents.toy import quick_jit

BOARDS = 16
TIC_TAC_TOE = TicTacToeOptions(opponent="mixture(random, optimal, 0.7)", time_limit=4)
GO = GoOptions(size=5, komi=0.5)


class Told:
    """A player that plays what it is told; None for nothing."""

    def __init__(self):
        self.action: int | None = None

    def advise(self, state: Any, deadline: float | None = None) -> Advice:
        return Advice("failed" if self.action is None else "advised", self.action)

    def reseed(self, seed: int) -> None: ...

    def snapshot(self) -> Any:
        return self.action

    def restore(self, snapshot: Any) -> None:
        self.action = snapshot

    def close(self) -> None:
        pass


def single(options: BoardGameOptions) -> tuple[BoardEnvironment, Told]:
    player = Told()
    return BoardEnvironment(board_game(options.openspiel), player, options), player


def assert_same(index: int, ours, theirs, outcome: str | None, outcomes) -> None:
    """One dm_env time step against row `index` of a batched one."""
    assert set(ours.observation) == set(theirs.observation)
    for key, value in ours.observation.items():
        np.testing.assert_array_equal(value, theirs.observation[key][index])
    assert ours.first() == theirs.is_first[index]
    assert ours.last() == theirs.is_last[index]
    first = ours.first()  # dm_env has None there, the batched face 0 and 1
    reward, discount = (0.0, 1.0) if first else (ours.reward, ours.discount)
    assert theirs.reward[index] == reward
    assert theirs.discount[index] == discount
    if ours.last():
        assert outcome == outcomes[theirs.info["outcome"][index]]


@pytest.mark.parametrize(
    ("options", "steps"),
    [(TIC_TAC_TOE, 60), (GO, 160), pytest.param(GO, 480, marks=pytest.mark.slow)],
    ids=["tic_tac_toe", "go", "much go"],
)
def test_faces_agree_on_random_play(options, steps):
    """Across resets; the single environments' opponent plays what the batched one played."""
    batched = build_batched(options)
    start, step = quick_jit(type(batched).start), quick_jit(type(batched).step)
    singles = [single(options) for _ in range(BOARDS)]
    levels = np.arange(BOARDS, dtype=np.int32) % batched.num_levels
    state, theirs = start(batched, jax.random.key(0), jnp.asarray(levels))
    rng, endings, begun, repeated = np.random.default_rng(1), set(), set(), 0
    actions = np.zeros(BOARDS, np.int32)
    for number in range(steps):
        if number:
            legal = np.asarray(theirs.observation["legal_actions"])
            drawn = np.where(rng.random((BOARDS, 1)) < 0.005, ~legal, legal)  # some are illegal
            drawn |= ~drawn.any(1, keepdims=True)
            actions = np.array([rng.choice(np.flatnonzero(row)) for row in drawn], np.int32)
            state, theirs = step(batched, state, actions)
        replies, second = np.asarray(state.reply), np.asarray(state.second)
        theirs = jax.device_get(theirs)
        for index, (environment, opponent) in enumerate(singles):
            opponent.action = int(replies[index])
            if theirs.is_first[index]:
                ours = environment.reset_to(int(second[index]))
                begun.add(environment.player)
            else:
                ours = environment.step(actions[index])
            assert_same(index, ours, theirs, environment.outcome, batched.spec.outcomes)
            if ours.last():
                endings.add(environment.outcome)
                repeated += superko(environment.state)
    # Random play has come across what there is to disagree about.
    assert begun == {0, 1}
    if options is GO:
        assert endings == {"win", "loss"}
        assert repeated > 0
    else:
        assert endings == {"win", "draw", "loss", "unfinished"}


@pytest.mark.parametrize("begins", ["agent", "opponent", "either"])
def test_a_level_says_who_begins(begins):
    environment, opponent = single(TicTacToeOptions(begins=begins))
    opponent.action = 4
    players = {"agent": [0], "opponent": [1], "either": [0, 1]}[begins]
    assert environment.num_levels == len(players)
    for level, player in enumerate(players):
        step = environment.reset_to(level)
        assert environment.player == player
        assert step.observation["player"].all() == bool(player)
        assert step.observation["planes"][..., 1].sum() == player
        assert step.observation["legal_actions"].sum() == 9 - player
    assert {environment.reset().observation["player"].all() for _ in range(20)} == {*players}
    with pytest.raises(IndexError, match="no level 2"):
        environment.reset_to(2)


def test_an_illegal_action_loses_and_changes_nothing():
    environment, opponent = single(TicTacToeOptions(begins="agent"))
    environment.reset()
    opponent.action = 0
    before = environment.step(4)
    step = environment.step(0)
    assert (step.last(), step.reward, step.discount) == (True, -1.0, 0.0)
    assert environment.outcome == "loss"
    assert not step.observation["legal_actions"].any()
    np.testing.assert_array_equal(step.observation["planes"], before.observation["planes"])
    assert environment.step(0).first()


@pytest.mark.parametrize("action", [9, -1, 0.5, True, None])
def test_what_is_no_action_is_refused(action):
    environment, _ = single(TicTacToeOptions(begins="agent"))
    environment.reset()
    with pytest.raises(ValueError, match="action must be"):
        environment.step(action)


@pytest.mark.parametrize("begins", ["agent", "opponent"])
def test_an_opponent_that_fails_ends_the_episode_unfinished(begins):
    environment, opponent = single(TicTacToeOptions(begins=begins))
    environment.reset()
    step = environment.step(4)
    assert (step.last(), step.reward, step.discount) == (True, 0.0, 1.0)
    assert environment.outcome == "unfinished"
    assert environment.info["opponent_failed"]
    opponent.action = 0
    assert environment.step(0).first()
    assert not environment.info["opponent_failed"]


@pytest.mark.slow
def test_many_worlds_go_back_to_a_snapshot():
    with load_vector("tic_tac_toe", 4, seed=3, begins="opponent") as worlds:
        first = worlds.reset()
        np.testing.assert_array_equal(first.observation["planes"][..., 2].sum((1, 2)), 0)
        np.testing.assert_array_equal(first.observation["planes"][..., 1].sum((1, 2)), 1)
        snapshot = pickle.loads(pickle.dumps(worlds.snapshot()))
        actions = first.observation["legal_actions"].argmax(1).astype(np.int32)
        once = worlds.step(actions)
        worlds.restore(snapshot)
        again = worlds.step(actions)
        assert not once.is_last.any()
        jax.tree.map(np.testing.assert_array_equal, once, again)
