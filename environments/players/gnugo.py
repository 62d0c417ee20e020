"""GNU Go as a player: the Debian package gnugo, a program of its own, reached over GTP."""

import shutil
import threading
import time
from typing import Any

import numpy as np

from environments.errors import UserError
from environments.games.board.game import BoardGame, BoardState
from environments.games.board.rules import planes
from environments.players.base import Advice
from environments.players.board_advice import GAME_OVER, advice_to_play
from environments.players.gtp import EngineError, GtpEngine, RefusedError

FOLDERS = ("/usr/games", "/usr/local/games", "/opt/homebrew/bin")  # often not on the path
_COLUMNS = "ABCDEFGHJKLMNOPQRST"  # GTP has no column I
_RULES = (
    *("--chinese-rules", "--capture-all-dead", "--positional-superko", "--forbid-suicide"),
    "--never-resign",  # no move of the game stands for it
)


def find_gnugo() -> str | None:
    """Where the program lies: on the path, or where distributions put games."""
    return shutil.which("gnugo") or shutil.which("gnugo", path=":".join(FOLDERS))


def vertex(game: BoardGame, action: int) -> str:
    """An action in GTP's words: D4, or pass."""
    if action == game.pass_action:
        return "pass"
    row, column = divmod(action, game.shape[1])
    return f"{_COLUMNS[column]}{row + 1}"


def action_of(game: BoardGame, text: str) -> int | None:
    """The action that GTP calls `text`; None if it is none on this board."""
    text = text.strip().upper()
    if text == "PASS":
        return game.pass_action
    size = game.shape[0]
    if len(text) < 2 or text[0] not in _COLUMNS[:size] or not text[1:].isdecimal():
        return None
    row = int(text[1:]) - 1
    return row * size + _COLUMNS.index(text[0]) if 0 <= row < size else None


class GnuGo:
    """Plays Go at a level, 1 (fast) to 10; scored by area, all stones on the board alive.

    Before every move the engine forgets what it has cached and gets a seed from this player's
    generator, so that its moves follow from the seed and the game alone. It never resigns: it
    plays to the end. On 7 lines the seed hardly changes a move; for variety, mix it with another
    player.

    A snapshot holds the generator's state and no engine: the engine takes every position from
    the game's history whatever it saw before.
    """

    def __init__(self, game: BoardGame, seed: int, level: int = 1, timeout: float = 60.0):
        """Starts the program. `timeout`: seconds without an answer after which it counts as hung.

        Raises UserError if the game is not Go on 5 to 19 lines, the level is out of range, or
        the program is missing or does not start.
        """
        if game.parsed.short != "go":
            raise UserError(f"gnugo plays only go, not {game.name}: try mcts(simulations=1000)")
        if not 5 <= game.shape[0] <= 19:
            raise UserError(f"gnugo plays on 5 to 19 lines, not {game.shape[0]}")
        if not 1 <= level <= 10:
            raise UserError(f"gnugo: level must be from 1 to 10, not {level}")
        if not 0 < timeout <= 3600:
            raise UserError(f"gnugo: timeout must be from 0 to 3600 seconds, not {timeout}")
        program = find_gnugo()
        if program is None:
            raise UserError("the program gnugo is missing: apt-get install gnugo")
        self._command = [program, "--mode", "gtp", "--quiet", "--level", str(level), *_RULES]
        self._game, self._level, self._timeout = game, level, timeout
        self._rng = np.random.default_rng(seed)
        self._engine: GtpEngine | None = None
        self._history: tuple[int, ...] = ()  # what the engine has played
        self._closed = False
        self._busy = threading.Lock()  # held by whoever speaks with the engine
        try:
            self._start(None)
        except (EngineError, RefusedError) as error:
            self.close()
            raise UserError(f"gnugo does not work: {error}") from error

    def advise(self, state: BoardState, deadline: float | None = None) -> Advice:
        """See `Player.advise`. The status is failed if the engine dies or hangs twice in a row, or
        if the player is closed meanwhile.

        It is gave_up if `deadline` comes first: the engine is killed, and started at the next call.
        """
        if self._closed:
            raise ValueError("the player is closed")
        if not state.legal.any():
            return GAME_OVER
        with self._busy:
            return self._advice(state, deadline)

    def _advice(self, state: BoardState, deadline: float | None) -> Advice:
        legal, seed = state.legal, int(self._rng.integers(2**31))
        for _ in range(2):
            if self._closed:  # meanwhile
                break
            try:
                answer = self._genmove(state, seed, deadline)
            except (EngineError, RefusedError):
                self._stop()
                if deadline is not None and time.monotonic() >= deadline:
                    return Advice("gave_up")
                continue
            action = action_of(self._game, answer)
            if action is None:
                self._stop()  # nobody knows what it has played
            if action is None or not legal[action]:
                action = int(np.flatnonzero(legal)[-1])  # pass, where the engine's rules differ
            return advice_to_play(state, action)
        return Advice("failed")

    def reseed(self, seed: int) -> None:
        """See `Player.reseed`."""
        self._rng = np.random.default_rng(seed)

    def snapshot(self) -> Any:
        """The random generator's state; the engine follows each state's history anyway."""
        return self._rng.bit_generator.state

    def restore(self, snapshot: Any) -> None:
        """See `Player.restore`."""
        self._rng.bit_generator.state = snapshot

    def close(self) -> None:
        """Ends the program, at once, and with it what another thread asks of it."""
        self._closed = True
        engine = self._engine
        if engine is not None:
            engine.kill()
        with self._busy:
            self._stop()

    def ask(self, command: str, deadline: float | None = None) -> str:
        """The running engine's answer to a GTP command. Raises EngineError or RefusedError."""
        if self._engine is None:
            raise EngineError("the engine is not running")
        left = np.inf if deadline is None else deadline - time.monotonic()
        return self._engine.ask(command, min(self._timeout, max(left, 0)))

    @property
    def pid(self) -> int | None:
        """The engine's process; None while there is none."""
        return None if self._engine is None else self._engine.pid

    def _stop(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _start(self, deadline: float | None) -> None:
        """A fresh engine at the start of the game."""
        self._engine = GtpEngine(self._command)
        if self._closed:  # too late to be killed by `close`
            raise EngineError("the player is closed")
        self.ask(f"boardsize {self._game.shape[0]}", deadline)
        self.ask(f"komi {self._game.parameter('komi')}", deadline)
        self.ask(f"level {self._level}", deadline)
        self._clear(deadline)

    def _clear(self, deadline: float | None) -> None:
        """The start of the game, handicap stones included."""
        self.ask("clear_board", deadline)
        self._history = ()
        stones = planes(self._game.initial_state())
        for row, column, plane in np.argwhere(stones[..., 1:]).tolist():
            name = f"{_COLUMNS[column]}{self._game.shape[0] - row}"
            self.ask(f"play {'bw'[plane]} {name}", deadline)

    def _genmove(self, state: BoardState, seed: int, deadline: float | None) -> str:
        """The engine's move at `state`, which the engine has then played."""
        if self._engine is None:
            self._start(deadline)
        self._follow(state, deadline)
        self.ask("clear_cache", deadline)
        self.ask(f"set_random_seed {seed}", deadline)
        answer = self.ask(f"genmove {'bw'[state.player]}", deadline)
        action = action_of(self._game, answer)
        if action is not None:
            self._history = (*self._history, action)
        return answer

    def _follow(self, state: BoardState, deadline: float | None) -> None:
        """Brings the engine to `state`: plays what it lacks, from the start if it is elsewhere."""
        if state.history[: len(self._history)] != self._history:
            self._clear(deadline)
        common = len(self._history)
        first = (state.player + len(state.history)) % 2
        for index in range(common, len(state.history)):
            color = "bw"[(first + index) % 2]
            self.ask(f"play {color} {vertex(self._game, state.history[index])}", deadline)
            self._history = state.history[: index + 1]
