"""Any embedding with an expert's advice in its observation, in its reward, or both."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from dm_env import specs

from environments.embedded.base import Aim, Embedding, Progress
from environments.embedded.wrapped import WrappedEmbedding
from environments.hints.adviser import Adviser
from environments.hints.options import HintOptions
from environments.players.base import Advice, Player
from environments.seeds import EXPERT, seed_of


@dataclass(frozen=True)
class _Moment:
    """What a snapshot holds beside the inner embedding's."""

    inner: Any
    expert: Any
    hint: Aim | None
    waiting: bool
    lost: bool
    settling: bool
    told: bool
    board: np.ndarray
    given: int
    reached: int
    auxiliary: float
    potential: float


class HintedEmbedding(WrappedEmbedding):
    """The embedding `inner` with hints of a player.

    The expert is asked when the board changes. There is no hint until it answers, where it has no
    advice, and where the agent may not do what it advises (pass twice running, say). On a board
    that the rules call finished while physics does not (a box has come onto its target but lies
    askew), the embedding says what is left to do, anew at every step.

    Observation, by `options.kind`: `hint/action` (one-hot `[A] bool`), `hint/planes` (`[H, W, C]
        bool`, the board after it), `hint/target` (`[3] float32`, metres: where the acting body
        should go, in that body's own frame); zeros where there is no hint. Always
        `hint/present` (bool), False also in episodes whose hints are dropped out.
    Reward: the game's own; `reached` if the agent does what is hinted at, minus `missed` if it
        changes the board in another way; and `shaping` times the difference of potentials: minus
        the metres to the target and from there along the rest of the expert's plan. The potential
        stays as it is while there is no hint. It is 0 where the game ends, but stays where
        `until_lost` ends it. Hints that are dropped out reward all the same.
    Termination: the game's; with `single` the first move under a hint, `win` for 1 or `loss`; with
        `until_lost` when the expert has proved that the position is lost, with the worst outcome.
    Info: `hints_given` and `hints_reached` in the episode (int32); `auxiliary_reward` (float32),
        the part of the last reward that is not the game's own.
    """

    def __init__(self, inner: Embedding, expert: Player, options: HintOptions):
        super().__init__(inner)
        self._options = options
        self._adviser = Adviser(expert, options.wait)
        self._hint: Aim | None = None
        self._waiting = False  # whether the expert has still to answer
        self._lost = False  # whether the expert has proved that the game is
        self._settling = False  # whether the game is won by its rules, but not yet in physics
        self._told = False  # whether this episode's hints are shown
        self._given = self._reached = 0
        self._auxiliary = self._potential = 0.0
        self._board = inner.planes()

    @property
    def hint(self) -> int | None:
        """The abstract action that is hinted at now, shown or not; None if there is none."""
        return None if self._hint is None else self._hint.action

    def begin(self, level: int, rng: np.random.Generator) -> None:
        """The inner embedding's beginning; whether hints are shown is drawn from `rng`."""
        self.inner.begin(level, rng)
        self._told = not self._options.dropout or rng.random() >= self._options.dropout
        self._given = self._reached = 0
        self._auxiliary, self._hint = 0.0, None
        self._lost = self._settling = False
        self._adviser.begin()
        self._ask()
        self._potential = self._measure(0.0)

    def _ask(self) -> None:
        """Asks about the board as it is now."""
        self._board, position = self.inner.planes(), self.inner.state()
        self._waiting = position is not None
        # Without a position the board cannot be made out.
        self._take(None if position is None else self._adviser.advise(position))

    def _take(self, advice: Advice | None) -> None:
        if advice is None:
            self._hint = None
            return
        self._waiting, self._lost = False, advice.status == "unsolvable"
        self._settling = advice.status == "solved"
        if self._settling:
            self._hint = self.inner.settle() or self._hint
            return
        self._hint, action, planes = None, advice.action, advice.target_planes
        if action is not None and planes is not None and self.inner.is_legal(action):
            target, ahead = self.inner.aim(action), self.inner.ahead(advice.plan)
            self._hint = Aim(action, planes, target, ahead)
            self._given += 1

    def advance(self, control: np.ndarray, rng: np.random.Generator) -> Progress:
        """One control step, and what its hint makes of the reward."""
        before, reward = self._potential, 0.0
        progress = self.inner.advance(control, rng)
        made = progress.made
        if made is not None and self._hint is not None and not self._settling:
            reached = made == self._hint.action
            self._reached += reached
            reward = self._options.reached if reached else -self._options.missed
            if self._options.single:
                progress = Progress(float(reached), "win" if reached else "loss", made=made)
        # What is read from pictures may change by itself.
        if made is not None or not np.array_equal(self.inner.planes(), self._board):
            if progress.outcome is None:
                self._ask()
        elif self._waiting:
            self._take(self._adviser.look())
        elif self._settling:
            self._hint = self.inner.settle() or self._hint
        lost = self._lost and self._options.until_lost and progress.outcome is None
        if lost:
            progress = replace(progress, outcome=self.inner.outcomes[-1])
        # What is left of the way is paid out at the game's end, but not where it is lost: the
        # quickest reward would be to lose.
        over = progress.outcome is not None and not progress.truncated and not lost
        self._potential = 0.0 if over else self._measure(before)
        self._auxiliary = reward + self._options.discount * self._potential - before
        return replace(progress, reward=progress.reward + self._auxiliary)

    def _measure(self, otherwise: float) -> float:
        """The potential now; `otherwise` if there is no hint."""
        if self._hint is None:
            return otherwise
        position, _ = self.inner.body()
        distance = float(np.linalg.norm(self._hint.target - position))
        return -self._options.shaping * (distance + self._hint.ahead)

    def observation_spec(self) -> dict[str, specs.Array]:
        """The inner embedding's, and the keys of hints."""
        shapes: dict[str, tuple[int, ...]] = {"hint/present": ()}
        if self._options.kind in ("action", "both"):
            shapes["hint/action"] = (self.inner.num_actions,)
        if self._options.kind in ("planes", "both"):
            shapes["hint/planes"] = self.inner.planes().shape
        found: dict[str, specs.Array] = {
            key: specs.BoundedArray(shape, bool, False, True, name=key)
            for key, shape in shapes.items()
        }
        if self._options.kind == "target":
            found["hint/target"] = specs.Array((3,), np.float32, name="hint/target")
        return {**self.inner.observation_spec(), **found}

    def observe(self) -> dict[str, np.ndarray]:
        """New arrays for every key."""
        found, hint = self.inner.observe(), self._hint if self._told else None
        kind = self._options.kind
        found["hint/present"] = np.array(hint is not None)
        if kind in ("action", "both"):
            found["hint/action"] = np.zeros(self.inner.num_actions, bool)
            if hint is not None:
                found["hint/action"][hint.action] = True
        if kind in ("planes", "both"):
            found["hint/planes"] = (
                np.zeros_like(self._board) if hint is None else hint.planes.copy()
            )
        if kind == "target":
            found["hint/target"] = np.zeros(3, np.float32)
            if hint is not None:
                position, rotation = self.inner.body()
                found["hint/target"][:] = rotation.T @ (hint.target - position)
        return found

    def info(self) -> dict[str, np.ndarray]:
        """The inner embedding's, and what hints did."""
        return {
            **self.inner.info(),
            "hints_given": np.asarray(self._given, np.int32),
            "hints_reached": np.asarray(self._reached, np.int32),
            "auxiliary_reward": np.asarray(self._auxiliary, np.float32),
        }

    def reseed(self, seed: int) -> None:
        super().reseed(seed)
        self._adviser.reseed(seed_of(EXPERT, seed))

    def snapshot(self) -> _Moment:
        """The inner embedding's, the expert's and the hint."""
        return _Moment(
            self.inner.snapshot(), self._adviser.snapshot(), self._hint, self._waiting,
            self._lost, self._settling, self._told, self._board, self._given, self._reached,
            self._auxiliary, self._potential,
        )  # fmt: skip

    def restore(self, snapshot: _Moment) -> None:
        """Goes back to `snapshot`, with the advice that was awaited then."""
        self.inner.restore(snapshot.inner)
        self._adviser.restore(snapshot.expert)
        self._hint, self._waiting, self._lost = snapshot.hint, snapshot.waiting, snapshot.lost
        self._settling = snapshot.settling
        self._told, self._board = snapshot.told, snapshot.board
        self._given, self._reached = snapshot.given, snapshot.reached
        self._auxiliary, self._potential = snapshot.auxiliary, snapshot.potential

    def close(self) -> None:
        """Ends the expert, and what the inner embedding has."""
        self._adviser.close()
        self.inner.close()
