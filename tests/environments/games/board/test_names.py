"""Names of board games: what is read, and how what is wrong is refused."""

import numpy as np
import pyspiel
import pytest

from environments.errors import UserError
from environments.games.board import layouts, names
from environments.games.board.game import board_game


@pytest.mark.parametrize(
    ("text", "canonical", "shape", "actions"),
    [
        ("tic_tac_toe", "tic_tac_toe", (3, 3), 9),
        ("tic_tac_toe()", "tic_tac_toe", (3, 3), 9),
        (" hex( board_size = 5 ) ", "hex(board_size=5)", (5, 5), 25),
        ("hex(num_rows=3,num_cols=4)", "hex(num_cols=4,num_rows=3)", (3, 4), 12),
        ("go", "go(board_size=19,komi=7.5)", (19, 19), 362),
        ("go(board_size=9)", "go(board_size=9,komi=7.5)", (9, 9), 82),
        ("mnk(m=4,n=3,k=3)", "mnk(k=3,m=4,n=3)", (3, 4), 12),
        ("gomoku(size=6,wrap=true)", "gomoku(size=6,wrap=True)", (6, 6), 36),
        ("connect_four", "connect_four", (6, 7), 7),
        ("othello", "othello", (8, 8), 65),
        ("misere(game=tic_tac_toe())", "misere(game=tic_tac_toe)", (3, 3), 9),
    ],
)
def test_a_name_has_one_canonical_form(text, canonical, shape, actions):
    game = board_game(text)
    assert game.name == canonical
    assert game.shape == shape
    assert game.num_actions == actions
    assert board_game(game.name) is game


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hx", "did you mean 'hex'?"),
        ("brakthrough", "did you mean 'breakthrough'?"),
        ("nothing_like_it", "choose from connect_four, go,"),
        ("chess", "chess cannot be played on cells: its moves carry a piece"),
        ("dots_and_boxes", "edges"),
        ("hex(size=5)", "choose from board_size, num_cols, num_rows, swap"),
        ("tic_tac_toe(size=5)", "tic_tac_toe has no parameter 'size'"),
        ("hex(board_size=0)", "from 1 to 26, not 0"),
        ("hex(board_size=five)", "must be a whole number, not five"),
        ("misere(game=five)", "OpenSpiel has no game 'five'"),
        ("misere(game=5)", "is no game: write one like"),
        ("hex(board_size='5')", "must be a whole number, not '5'"),
        ("hex(board_size=True)", "must be a whole number, not True"),
        ("hex(swap=True)", "swap must be False"),
        ("hex(plain_obs_tensor=True)", "there is no parameter of hex"),
        ("go(board_size=20)", "from 2 to 19, not 20"),
        ("go(komi=7)", "komi must be a half"),
        ("go(komi=1e400)", "komi must be a half"),
        ("go(board_size=9,handicap=2)", "handicap needs board_size=19"),
        ("gomoku(dims=3)", "dims must be 2"),
        ("misere", "misere needs a game"),
        ("misere(game=go)", "Go is not supported inside another game"),
        ("misere(game=connect_four)", "7 actions on 42 cells"),
        ("start_at(game=y,history='0')", "choose from game"),
        ("hex(string_rep='explicit')", "choose from board_size"),
        ("hex(board_size=5", "is no game: write one like"),
        ("hex(5)", "is no game: write one like"),
        ("hex(board_size=3+4)", "must be a whole number, not 3 + 4"),
        ("hex(board_size=__import__('os').getpid())", "must be a whole number"),
        ("hex(board_size=5,board_size=6)", "is no game: write one like"),
        ("hex(**{})", "is no game: write one like"),
        ("", "is no game: write one like"),
        ("\0", "is no game: write one like"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_openspiel_says_nothing(text, said, capfd):
    with pytest.raises(UserError) as error:
        board_game(text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_every_game_of_openspiel_is_accepted_or_refused_in_one_line(capfd):
    refused = {}
    for kind in pyspiel.registered_games():
        try:
            board_game(kind.short_name)
        except UserError as error:
            refused[kind.short_name] = str(error)
    accepted = [name for name in pyspiel.registered_names() if name not in refused]
    assert not any("\n" in reason for reason in refused.values())
    assert capfd.readouterr() == ("", "")
    assert accepted == list(names.GAMES)
    assert set(names.REFUSED) < set(pyspiel.registered_names())


@pytest.mark.parametrize(
    "text",
    ["tic_tac_toe", "mnk(m=4,n=3,k=3)", "othello", "havannah(board_size=3)", "y(board_size=4)"],
)
def test_the_automatic_check_finds_what_the_table_says(text):
    name = names.parse(text)
    game = pyspiel.load_game(name.openspiel)
    found, table = layouts._found(name, game), layouts.layout_of(name, game)
    assert found.shape == table.shape
    assert found.stones == table.stones


@pytest.mark.parametrize("short", sorted(set(names.REFUSED) - {"efg_game", "nfg_game"}))
def test_the_automatic_check_would_refuse_what_is_refused_by_name(short):
    with pytest.raises(UserError, match="cannot be played on cells"):
        layouts._found(names.GameName(short, ()), pyspiel.load_game(short))


class Drifting:
    """A position on a row of cells; the third stone lands `drift` cells beyond its own."""

    def __init__(self, cells: int, drift: int):
        self._stones: list[int | None] = [None] * cells
        self._moves, self._drift = 0, drift

    def is_terminal(self) -> bool:
        return self._moves == 3

    def current_player(self) -> int:
        return self._moves % 2

    def legal_actions(self) -> list[int]:
        return [cell for cell, stone in enumerate(self._stones[:3]) if stone is None]

    def apply_action(self, action: int) -> None:
        cell = action + (self._drift if self._moves == 2 else 0)
        self._stones[cell] = self.current_player()
        self._moves += 1

    def observation_tensor(self, player: int) -> list[bool]:
        return [stone is kind for kind in (None, 0, 1) for stone in self._stones]


@pytest.mark.parametrize(("drift", "passes"), [(0, True), (1, False)])
def test_the_automatic_check_watches_where_stones_land(drift, passes):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        state = Drifting(4, drift)
        assert layouts._playout(state, [3, 1, 4], (0, 1, 2), rng) == passes
