"""MuJoBan as an embedding: levels set up, pads rewarded, the board read from the scene."""

import functools
from dataclasses import dataclass, replace

import numpy as np
from dm_env import specs

from environments.embedded.base import NO_ACTION, Aim, Embedding, Progress, View
from environments.embedded.environment import EmbeddedEnvironment
from environments.embedded.mujoban import scene
from environments.embedded.mujoban.board import Board, Pressed, active_pads, pressed, rounded
from environments.embedded.mujoban.levels import BALL_RADIUS, place
from environments.embedded.mujoban.observations import observation_spec, observe
from environments.embedded.mujoban.registration import MujobanOptions
from environments.embedded.mujoban.scatter import scattered
from environments.embedded.mujoban.settle import next_step
from environments.embedded.mujoban.world import World, layout_of
from environments.embedded.sight import with_sight
from environments.errors import UserError
from environments.games.sokoban import rules
from environments.games.sokoban.level import LevelSet, unpack_bits
from environments.games.sokoban.sources import load_levels
from environments.hints.make import with_hints

MAX_SIDE = 20  # cells
BOX_REWARD, SOLVED_REWARD = 1.0, 10.0
PAD_REACH = 0.1  # metres: half the difference in size of pad and box
# Metres by which the ball goes beyond the middle of its cell when a box before it comes to the
# middle of the next: the distance of cells less the ball's radius and half the box.
PUSHED = 1.0 - BALL_RADIUS - scene.BOX_HALF_SIZE[0]
_KEPT = 256  # placements of levels
# The scene's names of cameras by the observation's keys.
_CAMERAS = {"top_camera": "top_camera", "walker/egocentric_camera": "walker/egocentric"}


def make(options: MujobanOptions, seed: int, levels: LevelSet | None = None) -> EmbeddedEnvironment:
    """The environment of these options; `levels`, if given, stand for those of its source.

    Raises UserError if the levels are wrong or too large, the expert is none of Sokoban, or
    cameras are asked for where nothing can render.
    """
    sizes = {
        "top_camera": options.top_camera,
        "walker/egocentric_camera": options.egocentric_camera,
    }
    views = {key: View(_CAMERAS[key], *size) for key, size in sizes.items() if size != (0, 0)}
    if levels is None:
        levels = load_levels(options.levels, largest=(MAX_SIDE, MAX_SIDE))
    seen = with_sight(
        Mujoban(levels, options), options.perception, "mujoban", _CAMERAS, rules.state_of
    )
    embedding = with_hints(
        seen, options.hints, "sokoban", levels.shape, seed, seen=bool(options.perception)
    )
    return EmbeddedEnvironment(embedding, time_limit=options.time_limit, seed=seed, views=views)


@dataclass(frozen=True)
class _Moment:
    """What a snapshot holds beside physics."""

    level: int
    board: Board
    pressed: Pressed


class Mujoban(Embedding):
    """Sokoban in MuJoCo: boxes are pushed by a ball that rolls, steers and jumps.

    Action: float32 in [-1, 1]: roll, steer, kick.
    Reward: for every control step, +1 for each pad that has become active in it, -1 for each
        that is active no more, and +10 when all are. A pad is active while a box lies within it
        (its centre at most 0.1 m plus `options.tolerance` from the pad's, along both axes).
        Activity is looked at where control steps end. A box that starts on a pad earns nothing.
    Termination: all pads are active: outcome `solved`. At the time limit: `unsolved`.
    Start: the walker at rest on the player's cell, facing anywhere, uniformly; if `scatter` is
        set, boxes and walker at rest anywhere, see scatter.py.
    Info: `overlap` (bool) and `overlaps` (int32): whether, and how many, boxes or walker round
        into a cell that they cannot be in (see board.py); `active_pads` (int32).

    Levels of one set may differ in how many boxes they have. Boxes are part of a compiled model,
    and idle ones would cost time and change rounding, so that there is one model for each number
    of boxes (and each fourth number of wall rectangles), compiled when first needed: every
    level behaves, bit for bit, as if the scene had been compiled for it. `simulation` is that of
    the level being played.
    """

    outcomes = rules.OUTCOMES
    num_actions = len(rules.MOVES)

    def __init__(self, levels: LevelSet, options: MujobanOptions):
        """Plays on `levels`; `options.levels` is not looked at. Raises UserError if too large."""
        if max(levels.shape) > MAX_SIDE:
            raise UserError(
                f"{levels.source}: levels of {levels.shape[0]}x{levels.shape[1]} are too large "
                f"to embed; choose levels of at most {MAX_SIDE}x{MAX_SIDE}"
            )
        self.num_levels = len(levels)
        self._levels, self._options = levels, options
        self._reach = PAD_REACH + options.tolerance
        self._place = functools.lru_cache(maxsize=_KEPT)(functools.partial(place, levels))
        self._worlds: dict[scene.Layout, World] = {}
        self._boxes = most_boxes(levels) if "position" in options.observations else 0
        self._set_up(0)
        self._start(yaw=0.0)

    def _set_up(self, level: int) -> None:
        """Makes the walls and pads those of `level`."""
        self._placement = self._place(level)
        layout = layout_of(self._placement, pegs=self._options.pegs)
        if layout not in self._worlds:
            self._worlds[layout] = World.of(layout, self._options.control_step)
        self._world = self._worlds[layout]
        self.simulation = self._world.simulation
        self._world.write(self._placement)

    def _start(self, yaw: float) -> None:
        self._world.start(self._placement, yaw)
        self._board = Board(self._placement.boxes, self._placement.player)
        self._pressed = pressed(self._placement.pads, self._world.places()[0], self._reach)
        self._world.paint(self._pressed)

    def begin(self, level: int, rng: np.random.Generator) -> None:
        self._set_up(level)
        if self._options.scatter:
            self._placement = scattered(self._placement, rng)
        self._start(rng.uniform(-np.pi, np.pi))

    def advance(self, control: np.ndarray, rng: np.random.Generator) -> Progress:
        self.simulation.advance(control)
        boxes, walker = self._world.places()
        walls = self._placement.planes[..., rules.PLANES.index("wall")]
        before, self._board = self._board, rounded(walls, boxes, walker, self._board)
        progress = Progress(made=self._made(before))
        now = pressed(self._placement.pads, boxes, self._reach)
        if now == self._pressed:
            return progress
        reward = BOX_REWARD * (active_pads(now) - active_pads(self._pressed))
        self._pressed = now
        self._world.paint(now)
        if active_pads(now) == len(self._placement.pads):
            return replace(progress, reward=reward + SOLVED_REWARD, outcome="solved")
        return replace(progress, reward=reward)

    def _made(self, before: Board) -> int | None:
        """The action that leads from the board `before` to the present one; see `Progress.made`."""
        now = self._board
        if before.player == now.player and set(before.boxes) == set(now.boxes):
            return None
        step = now.player[0] - before.player[0], now.player[1] - before.player[1]
        if step not in rules.MOVES:
            return NO_ACTION
        action, state = rules.MOVES.index(step), self.state()
        after = rules.apply(self._state(before), action)
        same = after.player == state.player and np.array_equal(after.boxes, state.boxes)
        return action if same else NO_ACTION

    def planes(self) -> np.ndarray:
        planes = self._placement.planes.copy()
        _, _, player, box = range(len(rules.PLANES))
        planes[(*self._board.player, player)] = True
        for cell in self._board.boxes:
            planes[(*cell, box)] = True
        return planes

    def state(self) -> rules.State:
        return self._state(self._board)

    def _state(self, board: Board) -> rules.State:
        boxes = np.zeros(self._levels.shape, bool)
        for cell in board.boxes:
            boxes[cell] = True
        return rules.State(self._levels[self._placement.index], boxes, board.player)

    def aim(self, action: int) -> np.ndarray:
        """The middle of the next cell; where a box is pushed, what brings that to its middle."""
        row, column = rules.MOVES[action]
        cell = self._board.player[0] + row, self._board.player[1] + column
        x, y = scene.centre(self._levels.shape, *cell)
        if cell in self._board.boxes:
            x, y = x + PUSHED * column, y - PUSHED * row
        return np.array([x, y, self._world.head[0][2]])

    def ahead(self, plan: tuple[int, ...]) -> float:
        """A metre for each move after the first: that far are cells apart."""
        return float(len(plan[1:]))

    def settle(self) -> Aim | None:
        """Pushes a box that is askew on its pad to where it activates it: see `settle`."""
        boxes, walker = self._world.places()
        wall, _, player, _ = range(len(rules.PLANES))
        step = next_step(
            self._placement.planes[..., wall],
            self._placement.pads,
            boxes,
            (walker, self._board.player),
            self._reach,
            1.0 - PUSHED,
        )
        if step is None:
            return None
        planes = self.planes()
        planes[..., player] = False
        planes[(*step.walker, player)] = True
        target = np.array([*scene.centre(self._levels.shape, *step.to), self._world.head[0][2]])
        return Aim(step.action, planes, target, step.ahead)

    def body(self) -> tuple[np.ndarray, np.ndarray]:
        """The walker's head, which stays upright: its second axis is where it faces."""
        position, rotation = self._world.head
        return position, rotation.reshape(3, 3)

    def observation_spec(self) -> dict[str, specs.Array]:
        return observation_spec(self._options, self._levels.shape, self._boxes)

    def observe(self) -> dict[str, np.ndarray]:
        return observe(self._options, self._world, self.planes(), self._boxes)

    def info(self) -> dict[str, np.ndarray]:
        overlaps = self._board.overlaps
        return {
            "overlap": np.array(overlaps > 0),
            "overlaps": np.array(overlaps, np.int32),
            "active_pads": np.array(active_pads(self._pressed), np.int32),
        }

    def snapshot(self) -> _Moment:
        return _Moment(self._placement.index, self._board, self._pressed)

    def restore(self, snapshot: _Moment) -> None:
        self._set_up(snapshot.level)
        self._board, self._pressed = snapshot.board, snapshot.pressed
        self._world.paint(self._pressed)


def most_boxes(levels: LevelSet) -> int:
    """The number of boxes of the level that has most."""
    chunks = range(0, len(levels), 10_000)
    return max(
        int(unpack_bits(levels.boxes[i : i + 10_000], levels.shape).sum((1, 2)).max())
        for i in chunks
    )
