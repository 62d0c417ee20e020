"""Board games as an embedding: touches become moves, the opponent answers, markers show stones."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from environments.embedded.base import Embedding, Progress
from environments.embedded.boards import observations as senses
from environments.embedded.boards import poses
from environments.embedded.boards.markers import Markers, MarkersSnapshot
from environments.embedded.boards.positions import History
from environments.embedded.boards.random_plies import random_position
from environments.embedded.boards.registration import OBSERVATION_KINDS
from environments.embedded.boards.scene import build_scene
from environments.embedded.boards.spec import BoardSpec, check_board
from environments.embedded.boards.targets import nearest, targets_of
from environments.embedded.boards.touch import TouchSimulation, pressed_places
from environments.games.board import rules
from environments.games.board.game import BoardGame, BoardState
from environments.games.board.spec import OUTCOMES
from environments.players.base import Player
from environments.seeds import OPPONENT, seed_of

REWARDS = {"win": 1.0, "draw": 0.5, "loss": 0.0}
AGENT = 0  # the agent plays first
_NOTHING, _CUT_OFF = Progress(), Progress(outcome=OUTCOMES[-1], truncated=True)

_AXES = np.eye(3)  # of the world


@dataclass(frozen=True)
class BoardSnapshot:
    """All that changes beside physics."""

    state: BoardState
    markers: MarkersSnapshot
    opponent: Any
    illegal_presses: int
    pressing: int
    spent: int
    passed: bool
    failed: bool


class BoardEmbedding(Embedding):
    """The agent presses cells with a robot arm; it plays first.

    A move is made at the first substep of a control step at which the place pressed hardest, by
    more than 1e-3 N, stands for a legal move; at most one move is made in a control step, and by
    one press: the arm lets go before it can move there again. The agent may not pass twice
    running, since it is hard to press the plate only once, unless it can do nothing else. Where
    `fingers_only`, what else of the arm touches makes no move. The opponent answers at once.

    The control step in which a move is made runs to its end as any other does. Then, unless
    the game is over or `reset_arm_after_move` is off, the arm jumps to a new start pose, at rest.

    A press of a place that stands for no legal move does nothing; `illegal_presses` counts those
    of an episode, by whatever part of the arm. A press lasts as long as the same place is pressed
    hardest, substep by substep, and counts once; to go on pressing where one has just moved does
    not count.

    With start positions (`task=win1`) each is a level, and the agent has one move: it is won if
    that wins the game, else lost; the opponent does not answer.
    """

    outcomes = OUTCOMES

    def __init__(
        self,
        game: BoardGame,
        spec: BoardSpec,
        opponent: Player,
        *,
        observations: tuple[str, ...] = OBSERVATION_KINDS,
        random_plies: int = 0,
        reset_arm_after_move: bool = True,
        public_names: bool = False,
        starts: tuple[History, ...] = (),
    ):
        """`starts`: positions to begin from, the levels, in which the agent has but one move.

        Raises UserError if the board is not one of the game.
        """
        check_board(spec, game)
        self.game, self.num_actions = game, game.num_actions
        self.scene = build_scene(spec)
        self.simulation: TouchSimulation = TouchSimulation(self.scene)
        self.opponent = opponent
        self._proprioception = senses.Proprioception(self.scene, self.simulation.data)
        self._shown, self._random_plies = observations, random_plies
        self._reset_arm = reset_arm_after_move
        self._starts, self.num_levels = starts, max(1, len(starts))
        self._public_names = public_names
        self._markers = Markers(self.scene, self.simulation.model)
        actions = [game.action_of_cell(*cell) for cell in spec.cells]
        if spec.pass_plate:
            actions.append(game.pass_action)
        self._actions = np.array(actions)  # [P], of each place
        self._history_length = int(game.parameter("max_game_length") or 2 * len(spec.cells))
        self._failed = False
        self._start_game(0, None)
        self._place_arm(np.random.default_rng(0), time=0.0)

    def begin(self, level: int, rng: np.random.Generator) -> None:
        """A new game, from the position of the level, and a start pose drawn from `rng`."""
        self._start_game(level, rng)
        self._place_arm(rng, time=0.0)

    def _start_game(self, level: int, rng: np.random.Generator | None) -> None:
        self._illegal_presses, self._passed = 0, False
        self._pressing = -1
        self._spent = -1  # the place that a press has made a move of, as long as the press lasts
        self._failed = False
        self._set_state(self.game.state_after(self._starts[level] if self._starts else ()))
        self._markers.reset(self._state.planes)
        if rng is None:
            return
        self._answer(rng)
        if self._random_plies and not self._failed:
            self._set_state(random_position(self._state, AGENT, self._random_plies, rng))
            self._markers.show(self._state.planes, {}, rng)

    def _set_state(self, state: BoardState) -> None:
        self._state = state
        legal = rules.legal_actions(state).copy()
        passing = self.game.pass_action
        if self._passed and passing is not None and legal.sum() > 1:
            legal[passing] = False
        self._legal = legal
        self._playable = np.append(legal[self._actions], False)  # [P + 1]; -1 is no place

    def _place_arm(self, rng: np.random.Generator, *, time: float) -> None:
        """Puts the arm at rest into a start pose drawn from `rng`."""
        self.simulation.reset()
        self.simulation.data.time = time
        self.simulation.data.qpos[:] = poses.draw(rng)
        self.simulation.forward()
        self._pressing = self._spent = -1

    def advance(self, control: np.ndarray, rng: np.random.Generator) -> Progress:
        """One control step, the move that it makes if any, and the opponent's answer."""
        if self._failed:  # to begin a game
            return _CUT_OFF
        simulation = self.simulation
        simulation.advance(control)
        if not simulation.touched:
            self._pressing = self._spent = -1
            return _NOTHING
        pressed = pressed_places(simulation.pressures)
        for substep in self._chances(pressed):
            place = int(pressed[substep])
            point = simulation.contact(substep, place, fingers_only=self.scene.spec.fingers_only)
            if point is None and self.scene.spec.fingers_only:
                continue
            self._count_illegal(pressed[:substep])
            return self._move(place, point, rng)
        self._count_illegal(pressed)
        return _NOTHING

    def _chances(self, pressed: np.ndarray) -> list[int]:
        """The substeps at which the pressed places `[T]` stand for legal moves."""
        playable = self._playable[pressed]
        if self._spent >= 0:
            still = np.logical_and.accumulate(pressed == self._spent)
            playable &= ~still
            self._spent = self._spent if still[-1] else -1
        return np.flatnonzero(playable).tolist()

    def _count_illegal(self, pressed: np.ndarray) -> None:
        """Counts the illegal presses that begin in substeps whose pressed places are `[T]`."""
        for place in pressed.tolist():
            if place != self._pressing and place >= 0 and not self._playable[place]:
                self._illegal_presses += 1
            self._pressing = place

    def _move(self, place: int, point: np.ndarray | None, rng: np.random.Generator) -> Progress:
        action = int(self._actions[place])
        self._passed = action == self.game.pass_action
        self._pressing = self._spent = place
        cells = self.scene.spec.cells
        touched = {cells[place]: point} if place < len(cells) and point is not None else {}
        self._set_state(rules.apply(self._state, action))
        self._markers.show(self._state.planes, touched, rng)
        if not self._starts:
            self._answer(rng)
        progress = replace(self._progress(), made=action)
        if self._reset_arm and progress.outcome is None:
            self._place_arm(rng, time=self.simulation.data.time)
        else:
            self.simulation.refresh()  # the markers' places
        return progress

    def _progress(self) -> Progress:
        """What a move and its answer have come to."""
        if self._failed:
            return _CUT_OFF
        outcome = rules.outcome(self._state, AGENT)
        if self._starts:
            outcome = "win" if outcome == "win" else "loss"
        return _NOTHING if outcome is None else Progress(REWARDS[outcome], outcome)

    def _answer(self, rng: np.random.Generator) -> None:
        """The opponent's moves, until it is the agent's turn or the game is over."""
        while self._state.player != AGENT and rules.outcome(self._state) is None:
            advice = self.opponent.advise(self._state)
            if advice.action is None or not self._state.legal[advice.action]:
                self._failed = True
                return
            self._set_state(rules.apply(self._state, advice.action))
            self._markers.show(self._state.planes, {}, rng)

    def planes(self) -> np.ndarray:
        """`[H, W, 3] bool`: empty, first player, second player."""
        return self._state.planes.copy()

    def state(self) -> BoardState:
        """The position."""
        return self._state

    def is_legal(self, action: int) -> bool:
        """Whether a press of what stands for `action` makes that move now."""
        return bool(self._legal[action])

    def aim(self, action: int) -> np.ndarray:
        """Where to press for `action`: the middle of that square for it nearest to the fingers."""
        targets = targets_of(action, self.game, self.scene.spec)
        return nearest(targets, self.body()[0])[0].point

    def body(self) -> tuple[np.ndarray, np.ndarray]:
        """The middle of the fingertips, in the axes of the world."""
        return self.simulation.data.site_xpos[self.scene.grip_site], _AXES

    def observe(self) -> dict[str, np.ndarray]:
        """New arrays for every key; `{}` if nothing but cameras is shown."""
        shown = self._shown
        observation: dict[str, np.ndarray] = {}
        if "proprioception" in shown:
            observation |= self._proprioception.observe()
        if "markers" in shown:
            observation["markers/position"] = self._markers.positions.copy()
        if "planes" in shown:
            observation["planes"] = self._state.planes.copy()
        if "legal_actions" in shown:
            observation["legal_actions"] = self._legal.copy()
        if self._public_names:
            observation["board_state"] = senses.public_board(self._state)
            if self.game.parsed.short == "go":
                observation["move_history"] = senses.move_history(self._state, self._history_length)
        return observation

    def info(self) -> dict[str, np.ndarray]:
        """Illegal presses of the episode, and whether the opponent failed and so ended it."""
        return {
            "illegal_presses": np.asarray(self._illegal_presses, np.int32),
            "opponent_failed": np.asarray(self._failed),
        }

    def reseed(self, seed: int) -> None:
        self.opponent.reseed(seed_of(OPPONENT, seed))

    def snapshot(self) -> BoardSnapshot:
        """All that changes beside physics."""
        return BoardSnapshot(
            self._state,
            self._markers.snapshot(),
            self.opponent.snapshot(),
            self._illegal_presses,
            self._pressing,
            self._spent,
            self._passed,
            self._failed,
        )

    def restore(self, snapshot: BoardSnapshot) -> None:
        """Goes back to `snapshot`, the markers in the model included."""
        self._illegal_presses, self._pressing = snapshot.illegal_presses, snapshot.pressing
        self._spent = snapshot.spent
        self._passed, self._failed = snapshot.passed, snapshot.failed
        self._set_state(snapshot.state)
        self._markers.restore(snapshot.markers)
        self.opponent.restore(snapshot.opponent)

    def close(self) -> None:
        """Ends the opponent."""
        self.opponent.close()
