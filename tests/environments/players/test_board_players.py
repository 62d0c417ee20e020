"""Random, optimal, mixed and tree-search players: how they play, and that they reproduce."""

import platform
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from environments.errors import UserError
from environments.games.board.game import board_game
from environments.games.board.rules import apply, legal_actions, outcome
from environments.players import value_table
from environments.players.base import Advice, Player
from environments.players.make import make_player
from tests.environments.games.board.play import random_game
from tests.environments.players.play import move, play

TICTACTOE = board_game("tic_tac_toe")
CHANCE = [  # players in which something is random, and a game for each
    ("random", "othello"),
    ("optimal", "tic_tac_toe"),
    ("mcts(simulations=20)", "go(board_size=5,komi=7.5)"),
    ("mcts(simulations=20, rollouts=2, exploration=1)", "connect_four"),
    ("mixture(random, mcts(simulations=5), 0.5)", "hex(board_size=4)"),
    ("mixture(random, mixture(optimal, mcts(simulations=5), 0.5), 0.5)", "tic_tac_toe"),
]


@pytest.mark.parametrize(("text", "name"), CHANCE)
def test_the_seed_decides_every_move(text, name):
    game = board_game(name)

    def moves(seed: int) -> tuple[int, ...]:
        return play(game, make_player(text, game, seed), make_player(text, game, seed + 1)).history

    assert moves(0) == moves(0)
    assert len({moves(seed) for seed in range(5)}) > 1


@pytest.mark.parametrize(("text", "name"), CHANCE)
def test_a_snapshot_goes_back_to_where_it_was_taken(text, name):
    game = board_game(name)
    player, like = make_player(text, game, 1), make_player(text, game, 2)
    assert isinstance(player, Player)
    start = game.initial_state()
    for _ in range(3):
        player.advise(start)
    snapshot = player.snapshot()
    moves = [player.advise(start).action for _ in range(8)]
    player.restore(snapshot)
    assert [player.advise(start).action for _ in range(8)] == moves
    like.restore(snapshot)
    assert [like.advise(start).action for _ in range(8)] == moves
    player.close()


@pytest.mark.parametrize("text", ["random", "optimal", "mcts", "mixture(random, mcts, 0.5)"])
def test_after_the_end_there_is_nothing_to_do(text):
    won = TICTACTOE.state_after((0, 3, 1, 4, 2))
    assert make_player(text, TICTACTOE, 0).advise(won) == Advice("solved")


def test_random_plays_every_legal_action_but_the_pass_about_equally_often():
    game = board_game("go(board_size=3,komi=0.5)")
    state = game.state_after((4,))
    player = make_player("random", game, 0)
    counts = np.zeros(game.num_actions)
    for _ in range(1600):
        counts[player.advise(state).action] += 1
    assert counts[4] == counts[game.pass_action] == 0
    assert (counts[legal_actions(state)][:-1] > 200 * 0.6).all()  # 200 expected
    assert (counts < 200 * 1.4).all()


def test_random_passes_where_there_is_nothing_else():
    game = board_game("go(board_size=2,komi=0.5)")
    states = [state for seed in range(50) for state in random_game(game, seed)]
    stuck = next(state for state in states if legal_actions(state).sum() == 1)
    assert make_player("random", game, 0).advise(stuck).action == game.pass_action


@pytest.mark.parametrize("side", [0, 1])
def test_optimal_never_loses_whatever_the_other_does(side):
    """Every line of play against it, with its random choices drawn once for each position."""
    player = make_player("optimal", TICTACTOE, side)
    seen, ends = set(), []

    def explore(state):
        key = (state.player, state.planes.tobytes())
        if key in seen:
            return
        seen.add(key)
        if outcome(state) is not None:
            ends.append(outcome(state, side))
        elif state.player == side:
            explore(apply(state, move(player, state)))
        else:
            for action in np.flatnonzero(legal_actions(state)):
                explore(apply(state, action))

    explore(TICTACTOE.initial_state())
    assert set(ends) == {"win", "draw"}


@pytest.mark.parametrize(
    "name", ["tic_tac_toe", "mnk(m=3,n=2,k=2)", "connect_four(rows=3,columns=4)"]
)
def test_optimal_against_random_wins_often_and_never_loses(name):
    game = board_game(name)
    optimal, random = make_player("optimal", game, 0), make_player("random", game, 1)
    first = {outcome(play(game, optimal, random)) for _ in range(40)}
    assert first <= {"win", "draw"}
    if name == "tic_tac_toe":
        assert {outcome(play(game, random, optimal), 1) for _ in range(40)} == {"win", "draw"}
        assert {outcome(play(game, optimal, optimal)) for _ in range(20)} == {"draw"}


def test_values_of_tic_tac_toe():
    values = value_table.values_of(TICTACTOE)
    assert len(values) == 5478
    optimal = make_player("optimal", TICTACTOE, 0)
    assert optimal.advise(TICTACTOE.initial_state()).value == 0
    assert {optimal.advise(TICTACTOE.initial_state()).action for _ in range(300)} == set(range(9))
    # O answered in the side: X wins; and the corner is the only answer to the centre that draws.
    assert optimal.advise(TICTACTOE.state_after((4, 1))).value == 1
    assert optimal.advise(TICTACTOE.state_after((0, 1))).value == 1
    assert optimal.advise(TICTACTOE.state_after((0, 1, 3))).value == -1
    corners = {optimal.advise(TICTACTOE.state_after((4,))).action for _ in range(100)}
    assert corners == {0, 2, 6, 8}


def test_misere_turns_the_values_round():
    game = board_game("misere(game=mnk(m=2,n=2,k=2))")
    assert make_player("optimal", game, 0).advise(game.initial_state()).value == -1
    game = board_game("mnk(m=2,n=2,k=2)")
    assert make_player("optimal", game, 0).advise(game.initial_state()).value == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hex(board_size=5)", "too large for optimal play"),
        ("connect_four(rows=4,columns=4)", "too large for optimal play"),
        ("go(board_size=2,komi=0.5)", "optimal play of go(board_size=2,komi=0.5) is not known"),
        ("othello", "is not known"),
    ],
)
def test_games_too_large_for_a_table_are_refused(name, said, monkeypatch):
    monkeypatch.setattr(value_table, "MAX_POSITIONS", 3000)
    with pytest.raises(UserError) as error:
        make_player("optimal", board_game(name), 0)
    assert said in str(error.value)
    assert "try mcts(" in str(error.value)


def test_a_mixture_plays_the_first_as_often_as_is_said():
    # Two moves from the end, the optimal player wins at once; a random one may not.
    state = TICTACTOE.state_after((0, 3, 1, 4))
    only = {"mixture(optimal, random, 1)": 1.0, "mixture(optimal, random, 0)": 0.2}
    only |= {"mixture(random, optimal, 0.25)": 0.75 + 0.25 * 0.2}
    for text, share in only.items():
        player = make_player(text, TICTACTOE, 3)
        wins = np.mean([player.advise(state).action == 2 for _ in range(1000)])
        assert abs(wins - share) < 0.05


def test_search_sees_a_win_and_prevents_one():
    game = board_game("connect_four")
    wins = game.state_after((3, 0, 3, 0, 3, 1))
    threatened = game.state_after((3, 0, 3, 0, 3))
    for seed in range(5):
        search = make_player("mcts(simulations=400)", game, seed)
        assert search.advise(wins).action == 3
        assert search.advise(threatened).action == 3


def test_search_beats_random_play_and_one_simulation_is_enough_to_play():
    game = board_game("go(board_size=5,komi=0.5)")
    search, random = make_player("mcts(simulations=50)", game, 0), make_player("random", game, 1)
    results = [outcome(play(game, search, random)) for _ in range(6)]
    results += [outcome(play(game, random, search), 1) for _ in range(6)]
    assert results.count("win") >= 9
    play(game, make_player("mcts(simulations=1)", game, 0), random)


def test_a_distant_deadline_changes_nothing():
    game = board_game("go(board_size=7,komi=7.5)")
    free, bounded = (make_player("mcts(simulations=100)", game, 3) for _ in range(2))
    far = time.monotonic() + 100_000
    for _ in range(3):
        state = game.initial_state()
        assert free.advise(state).action == bounded.advise(state, far).action


def test_search_ends_at_its_deadline():
    game = board_game("go(board_size=9,komi=7.5)")
    search = make_player("mcts(simulations=10_000_000)", game, 0)
    for wait in (0.3, 0.0):  # else this would take an hour
        deadline = time.monotonic() + wait
        assert search.advise(game.initial_state(), deadline).status == "advised"


BUSY = """
import sys, threading, time
from environments.games.board.game import board_game
from environments.players import mcts
from environments.players.make import make_player

class Slow:
    def __del__(self):  # when the interpreter has begun to end
        time.sleep(3)

slow, game = Slow(), board_game("go(board_size=9,komi=7.5)")
search = make_player("mcts(simulations={simulations})", game, 0)
threading.Thread(target=search.advise, args=(game.initial_state(),), daemon=True).start()
while not mcts._running:
    time.sleep(0.001)
sys.exit(3)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
@pytest.mark.parametrize("simulations", [3000, 10_000_000], ids=["done meanwhile", "going on"])
def test_an_interpreter_ends_under_a_search(simulations):
    code = BUSY.format(simulations=simulations)
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert (ended.returncode, ended.stderr) == (3, "")


def test_search_runs_while_another_thread_holds_the_lock():
    game = board_game("go(board_size=9,komi=7.5)")
    search = make_player("mcts(simulations=4000)", game, 0)
    thread = threading.Thread(target=search.advise, args=(game.initial_state(),))
    interval = sys.getswitchinterval()
    try:
        sys.setswitchinterval(1000)  # from here on, nobody takes the lock from this thread
        thread.start()
        assert thread.ident is not None
        assert thread.is_alive()  # it has let this thread have the lock before it was done
        clock = time.pthread_getcpuclockid(thread.ident)
        before = time.clock_gettime(clock)
        while time.clock_gettime(clock) - before < 0.05:  # s of work
            pass
    finally:
        sys.setswitchinterval(interval)
        thread.join()
