"""GNU Go for real: games, its settings, and what happens when it dies, hangs or is not there."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from environments.errors import UserError
from environments.games.board.game import BoardGame, board_game
from environments.games.board.rules import apply, legal_actions, outcome, planes
from environments.players import gnugo
from environments.players.base import Advice
from environments.players.gnugo import GnuGo, action_of, find_gnugo, vertex
from environments.players.gtp import EngineError, GtpEngine, RefusedError
from environments.players.make import make_player
from environments.players.mixture import Mixture
from tests.environments.games.board.play import random_game
from tests.environments.players.play import move, play

pytestmark = pytest.mark.skipif(find_gnugo() is None, reason="the program gnugo is not installed")

GAME = board_game("go(board_size=7,komi=6.5)")
START = GAME.initial_state()


@pytest.fixture
def engine():
    with closing(GnuGo(GAME, seed=0)) as player:
        yield player


def process(player: GnuGo) -> int:
    assert player.pid is not None
    return player.pid


def gone(pid: int) -> bool:
    """Whether the process has ended, reaped or not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


def targets(advice: Advice) -> np.ndarray:
    assert advice.target_planes is not None
    return advice.target_planes


def stones(player: GnuGo, game: BoardGame = GAME) -> np.ndarray:
    """The engine's own board, `[H, W, 2]`: black, white."""
    board = np.zeros((*game.shape, 2), bool)
    for plane, color in enumerate(("black", "white")):
        for name in player.ask(f"list_stones {color}").split():
            action = action_of(game, name)
            assert action is not None
            row, column = divmod(action, game.shape[1])
            board[game.shape[0] - 1 - row, column, plane] = True
    return board


@pytest.mark.parametrize("other", ["random", "mcts(simulations=30)"])
def test_it_plays_whole_games_on_either_side_and_beats_weak_players(engine, other):
    opponent = make_player(other, GAME, 1)
    assert outcome(play(GAME, engine, opponent)) == "win"
    assert outcome(play(GAME, opponent, engine), 1) == "win"


def test_it_is_told_size_komi_level_and_rules():
    game = board_game("go(board_size=9,komi=-3.5)")
    with closing(GnuGo(game, seed=0, level=3)) as player:
        assert player.ask("query_boardsize") == "9"
        assert float(player.ask("get_komi")) == -3.5
        # The program tells its level to nobody: a higher one must cost more reading.
        command = player._command
        assert command[command.index("--level") + 1] == "3"
        assert {"--chinese-rules", "--capture-all-dead", "--positional-superko"} <= set(command)
        assert "--never-resign" in command


def test_a_higher_level_reads_more():
    state = random_game(GAME, 3, length=12)[-1]
    nodes = []
    for level in (1, 10):
        with closing(GnuGo(GAME, seed=0, level=level)) as player:
            player.ask("reset_trymove_counter")
            player.advise(state)
            nodes.append(int(player.ask("get_trymove_counter")))
    assert nodes[0] < nodes[1]


def test_both_sides_count_the_same_result(engine):
    """Where all dead stones have been captured, its score is the outcome."""
    end = play(GAME, engine, make_player("random", GAME, 5))
    engine._follow(end, None)
    score = engine.ask("final_score")
    assert outcome(end) == ("win" if score.startswith("B+") else "loss")


def test_vertices_are_named_from_the_lower_left_without_i():
    game = board_game("go(board_size=19,komi=7.5)")
    assert [vertex(game, action) for action in (0, 8, 18, 19, 361)] == [
        "A1",
        "J1",
        "T1",
        "A2",
        "pass",
    ]
    assert [action_of(game, vertex(game, action)) for action in range(362)] == list(range(362))
    assert action_of(game, "PASS") == 361
    for text in ("", "resign", "I5", "A20", "A0", "Z1", "A", "5", "A-1", "A1B"):
        assert action_of(game, text) is None


def test_it_follows_any_history_whatever_it_saw_before(engine):
    states = random_game(GAME, 1, length=20)
    other = random_game(GAME, 2, length=15)
    order = [states[3], states[5], states[4], other[9], START, other[12], other[12], states[20]]
    for state in order:
        engine._follow(state, None)
        assert np.array_equal(stones(engine), planes(state)[..., 1:])
        assert engine.advise(state).status == "advised"
        engine._follow(state, None)
        assert np.array_equal(stones(engine), planes(state)[..., 1:])


def test_the_seed_decides_its_moves_and_a_snapshot_goes_back():
    game = board_game("go(board_size=9,komi=6.5)")  # on 7 lines it plays alike whatever the seed
    states = [random_game(game, seed, length=2)[-1] for seed in range(3)]
    states = [game.initial_state()] * 12 + states

    def moves(player):
        return [move(player, state) for state in states]

    with closing(GnuGo(game, seed=1)) as one, closing(GnuGo(game, seed=1)) as two:
        first = moves(one)
        assert moves(two) == first
        assert len(set(first[:12])) > 1
        snapshot = one.snapshot()
        second = moves(one)
        assert second != first
        two.advise(states[3])  # whatever the engine has seen since
        two.restore(snapshot)
        assert moves(two) == second


def test_killed_in_the_middle_it_comes_back_and_plays_on(engine):
    state = random_game(GAME, 4, length=10)[-1]
    before = engine.snapshot()
    expected = engine.advise(state)
    killed = process(engine)
    os.kill(killed, signal.SIGKILL)
    engine.restore(before)
    advice = engine.advise(state)
    assert advice.status == "advised"
    assert advice.action == expected.action
    assert process(engine) != killed
    assert not Path(f"/proc/{killed}").exists()  # and taken leave of
    assert np.array_equal(stones(engine), targets(advice)[..., 1:])


def test_a_game_goes_on_through_kills():
    rng = np.random.default_rng(0)
    state, kills = START, 0
    with closing(GnuGo(GAME, seed=3)) as player:
        while outcome(state) is None:
            if state.player == 1:
                if len(state.history) % 6 == 1:
                    os.kill(process(player), signal.SIGKILL)
                    kills += 1
                action = move(player, state)
            else:
                action = rng.choice(np.flatnonzero(legal_actions(state)))
            state = apply(state, action)
    assert kills > 3
    assert outcome(state, 1) == "win"


def test_a_hung_process_is_replaced_within_the_timeout():
    with closing(GnuGo(GAME, seed=0, timeout=1.0)) as player:
        hung = process(player)
        os.kill(hung, signal.SIGSTOP)
        before = time.monotonic()
        assert player.advise(START).status == "advised"
        assert time.monotonic() - before > 0.9
        assert gone(hung)
        assert process(player) != hung


def test_a_hung_process_is_given_up_at_the_deadline_and_replaced_later(engine):
    hung = process(engine)
    os.kill(hung, signal.SIGSTOP)
    before = time.monotonic()
    assert engine.advise(START, deadline=before + 0.5).status == "gave_up"
    assert gone(hung)
    assert engine.advise(START).status == "advised"


def test_an_engine_that_fails_twice_gives_failed_advice_and_nothing_is_left(engine, tmp_path):
    broken = tmp_path / "gnugo"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    working, old = engine._command, process(engine)
    engine._command = [str(broken), *working[1:]]
    os.kill(old, signal.SIGKILL)
    assert engine.advise(START).status == "failed"
    assert engine.pid is None
    assert engine.advise(START).status == "failed"
    engine._command = working
    assert engine.advise(START).status == "advised"


@pytest.mark.parametrize("reply", ["Z99", "D4", "nonsense", "resign"])
def test_where_its_move_is_none_of_ours_it_passes(reply, engine, tmp_path):
    """A program that answers every genmove alike, here where D4 is taken."""
    program = tmp_path / "stubborn"
    program.write_text(
        "#!/bin/sh\nwhile read -r command rest; do\n"
        f'  [ "$command" = genmove ] && printf "= {reply}\\n\\n" || printf "= \\n\\n"\ndone\n'
    )
    program.chmod(0o755)
    engine._stop()
    engine._command = [str(program)]
    state = GAME.state_after((24,))
    advice = engine.advise(state)
    assert (advice.status, advice.action) == ("advised", GAME.pass_action)
    assert np.array_equal(advice.target_planes, planes(state))
    assert engine.advise(state).action == GAME.pass_action


def test_a_move_that_it_refuses_makes_failed_advice(engine, tmp_path):
    program = tmp_path / "refusing"
    program.write_text(
        "#!/bin/sh\nwhile read -r command rest; do\n"
        '  [ "$command" = play ] && printf "? illegal move\\n\\n" || printf "= \\n\\n"\ndone\n'
    )
    program.chmod(0o755)
    engine._stop()
    engine._command = [str(program)]
    assert engine.advise(GAME.state_after((24,))).status == "failed"


def test_handicap_stones_are_told():
    game = board_game("go(board_size=19,komi=0.5,handicap=3)")
    with closing(GnuGo(game, seed=0)) as player:
        state = game.initial_state()
        assert np.array_equal(stones(player, game), planes(state)[..., 1:])
        advice = player.advise(state)
        assert np.array_equal(stones(player, game), targets(advice)[..., 1:])
        assert targets(advice)[..., 2].sum() == 1


def test_after_the_end_there_is_nothing_to_do(engine):
    end = GAME.state_after((49, 49))  # two passes
    assert engine.advise(end).status == "solved"


def test_closing_or_forgetting_it_leaves_no_process():
    player = GnuGo(GAME, seed=0)
    pid = process(player)
    player.close()
    player.close()
    assert gone(pid)
    with pytest.raises(ValueError, match="closed"):
        player.advise(START)
    player = GnuGo(GAME, seed=0)
    pid = process(player)
    del player
    assert gone(pid)
    mixed = make_player("mixture(random, gnugo, 0.5)", GAME, 0)
    assert isinstance(mixed, Mixture)
    assert isinstance(mixed._players[1], GnuGo)
    pid = process(mixed._players[1])
    mixed.close()
    assert gone(pid)


def test_closing_it_ends_what_another_thread_asks():
    """The engine hangs, and nobody waits for the minute until it would be given up."""
    player = GnuGo(GAME, seed=0, timeout=600.0)
    pid = process(player)
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        advice = threads.submit(player.advise, START)
        while not player._busy.locked():
            time.sleep(0.001)
        player.close()
        assert advice.result(60).status == "failed"
    assert gone(pid)
    assert player.pid is None  # and none was started anew


def test_it_ends_with_a_process_that_is_killed():
    code = (
        "import time; from environments.games.board.game import board_game; "
        "from environments.players.make import make_player; game = board_game('go(board_size=7)'); "
        "players = [make_player('gnugo', game, seed) for seed in range(2)]; "
        "print(*[player.pid for player in players], flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert not any(gone(pid) for pid in pids)
        owner.kill()
    end = time.monotonic() + 20
    while not all(gone(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert all(gone(pid) for pid in pids)


@pytest.mark.parametrize(
    ("game", "text", "said"),
    [
        ("hex(board_size=7)", "gnugo", "gnugo plays only go, not hex(board_size=7)"),
        ("go(board_size=4,komi=0.5)", "gnugo", "5 to 19 lines, not 4"),
        ("go(board_size=7)", "gnugo(level=0)", "level must be from 1 to 10, not 0"),
        ("go(board_size=7)", "gnugo(level=11)", "level must be from 1 to 10, not 11"),
        ("go(board_size=7)", "gnugo(timeout=0)", "timeout must be from 0"),
    ],
)
def test_what_it_cannot_do_is_said_in_one_line(game, text, said):
    with pytest.raises(UserError) as error:
        make_player(text, board_game(game), 0)
    assert said in str(error.value)


def test_without_the_program_the_message_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gnugo() is not None  # in /usr/games, say
    monkeypatch.setattr(gnugo, "FOLDERS", ())
    with pytest.raises(UserError, match="apt-get install gnugo"):
        make_player("gnugo", GAME, 0)
    broken = tmp_path / "gnugo"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(UserError, match="gnugo does not work: boardsize"):
        make_player("gnugo", GAME, 0)


def test_the_protocol_tells_refusals_from_failures():
    program = find_gnugo()
    assert program is not None
    engine = GtpEngine([program, "--mode", "gtp"])
    assert engine.ask("protocol_version", 10) == "2"
    with pytest.raises(RefusedError, match="play b Z9: invalid"):
        engine.ask("play b Z9", 10)
    assert "\n" in engine.ask("list_commands", 10)
    engine.ask("quit", 10)
    with pytest.raises(EngineError, match="name: "):
        engine.ask("name", 10)
    assert gone(engine.pid)
    with pytest.raises(EngineError, match="does not start"):
        GtpEngine(["/nowhere/gnugo"])
