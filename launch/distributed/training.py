"""Training as the process that holds the learner sees it: batches in, versions and rows out."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import jax
import numpy as np

from launch import checkpoints, divergence, published
from launch.clock import Clock
from launch.columns import STEP_COLUMNS
from launch.distributed.base import Weights
from launch.distributed.batches import Batches, Staleness
from launch.distributed.coordinator import FIRST, ActorReport, Link, Term
from launch.distributed.learner import LearnerState
from launch.distributed.learner_group import make_learner
from launch.distributed.plan import Plan
from launch.distributed.window import (
    ACTOR_COLUMNS,
    DATA_COLUMNS,
    TIME_COLUMNS,
    Window,
    episode_columns,
    lag_columns,
)
from launch.evaluator import Evaluator
from launch.outcome import Outcome, RunFailed
from launch.progress import Display
from launch.published import InitialParams
from launch.run_folder import RunFolder
from launch.run_logger import RunLogger

_POLL = 0.5  # seconds between looks at whether to stop


class Store(Protocol):
    """The replay servers, as training sees them."""

    def items(self) -> int:
        """How many items they hold."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many items were inserted, and how many samples were taken."""
        ...

    def save(self) -> None:
        """Keeps what they hold, if it is to be kept."""
        ...


@dataclass
class _Progress:
    """What training has come to, besides the learner's state."""

    version: int = -1  # of the weights published last
    seconds: float = 0.0  # of training, up to now
    actor_frames: int = 0
    frames: int = 0
    incarnation: int = 0  # above all that actors had, as far as is known
    replaced: int = 0  # actors, as far as is known


class Training:
    """One run's learning, from a beginning or a checkpoint until its budget is spent."""

    def __init__(
        self,
        plan: Plan,
        run: RunFolder,
        link: Link,
        display: Display,
        evaluator: Evaluator,
        initial_params: InitialParams | None = None,
    ):
        """Args:
        plan: of the run.
        run: where to; its configuration is written already.
        link: to the coordinator.
        display: shows progress.
        evaluator: plays the suites.
        initial_params: parameters to begin with; None draws them all.
        """
        self._plan, self._run, self._link, self._display = plan, run, link, display
        self._experiment = plan.experiment
        self._evaluator = evaluator
        self._learner = make_learner(plan.agent, plan.item)
        self._initial_params = initial_params
        self._progress = _Progress()
        self._report = ActorReport()  # of the actors, since the last row
        self._unevaluated = False  # whether the budget is spent, and the last policy not evaluated
        self._term = FIRST
        self._superseded = False  # whether another learner has taken this one's place
        self._state: LearnerState
        self._logger: RunLogger

    def begin(self, *, resume: bool, term: Term = FIRST) -> None:
        """Begins anew or, if there is something to resume from, where the checkpoint is.

        Args:
          resume: go on from the newest whole checkpoint, if one was written.
          term: of this learner; by default the first of this process' run.
        """
        run, progress, version = self._run, self._progress, term.version
        self._term = term
        restored = resume and (checkpoints.steps(run.checkpoints) or run.policy.exists())
        extra: dict[str, Any] = {}
        if restored:
            found = checkpoints.restore(
                run.checkpoints, self._learner.shapes(), identity=self._identity
            )
            state, extra = found.state, found.extra
            progress.seconds = float(extra["seconds"])
            progress.actor_frames = int(extra["actor_frames"])
            self._unevaluated = bool(extra.get("unevaluated"))
            version = max(version, int(extra["version"]) + 1)
            progress.incarnation = int(extra["incarnation"])
            self._link.resume(progress.incarnation)
        else:
            state = self._initial_state()
        self._state = self._learner.begin(state)
        progress.version = version
        progress.frames = int(self._state.agent.frames)
        self._logger = RunLogger(run, self._columns(), extra.get("positions"))
        if restored:
            self._publish_policy()  # it may be older or newer than the checkpoint
        self._publish(self._params(), finished=0)

    @property
    def version(self) -> int:
        """Of the weights published last."""
        return self._progress.version

    @property
    def finished(self) -> bool:
        """Whether the budget, of frames or of time, is spent."""
        experiment, progress = self._experiment, self._progress
        late = 0 < experiment.max_minutes * 60 <= progress.seconds
        return late or progress.frames >= experiment.max_frames

    @property
    def put(self) -> Callable[[Any], Any]:
        """Takes a batch to where the learner wants it."""
        return self._learner.put

    def loop(self, batches: Batches, store: Store, stopped: Callable[[], bool]) -> Outcome:
        """Learns until the budget is spent or `stopped()`, which ends the last evaluation too.

        A checkpoint ends it, also if something goes wrong, unless training diverged.

        Raises RunFailed if it did.
        """
        experiment, progress = self._experiment, self._progress
        if self.finished:
            return self.conclude(store, stopped)
        clock = Clock(progress.seconds)
        saved, window = time.monotonic(), Window(self._plan.max_lag)
        logged, diverged = progress.frames, False
        try:
            while not self.finished and not stopped():
                self._learn(batches, window, clock)
                progress.seconds = clock.seconds
                if progress.frames - logged >= experiment.runner.log_frames:
                    before, logged = logged, progress.frames
                    self._write(window, store, logged - before)
                    self._evaluate(before, logged)
                    window = Window(self._plan.max_lag)
                if time.monotonic() - saved >= experiment.runner.checkpoint_minutes * 60:
                    began = time.monotonic()
                    self._save(store)
                    saved = time.monotonic()
                    window.paused += saved - began
        except divergence.Diverged:
            diverged = True
            raise
        finally:
            progress.seconds = clock.seconds
            deleted = any(leaf.is_deleted() for leaf in jax.tree.leaves(self._state))
            if not (diverged or deleted or self._superseded):
                if progress.frames > logged:
                    self._write(window, store, progress.frames - logged)
                self._unevaluated = self.finished and bool(self._evaluator.columns)
                self._save(store)
        self._learner.end()
        return self.conclude(store, stopped)

    def conclude(self, store: Store, stopped: Callable[[], bool]) -> Outcome:
        """How training ended; evaluates the last policy, unless it was done or `stopped()`.

        A run that is resumed when its budget is spent needs no more than this.
        """
        rates = {}
        if self.finished and self._unevaluated:
            self._link.stop()  # the cores are for the evaluation
            rates = self._last_evaluation(store, stopped)
        finished = self.finished and not self._unevaluated
        return Outcome(self._progress.frames, self._progress.seconds, finished, rates)

    def close(self) -> None:
        """Closes the run's files."""
        self._logger.close()

    def _learn(self, batches: Batches, window: Window, clock: Clock) -> None:
        """One update, if there is a batch to learn from."""
        progress, link = self._progress, self._link
        began = time.monotonic()
        batch = batches.next(_POLL)
        window.waited += time.monotonic() - began
        if batch is None:
            return link.doing("learner", "waiting for unrolls")
        link.doing("learner", f"learning version {progress.version + 1}")
        staleness = Staleness.of(batch.stamp, progress.version)
        self._state, metrics = self._learner.update(self._state, batch.unroll)
        if not clock.running:  # what went before, compiling the update too, was no training
            clock.start()
            window.began, window.waited = time.monotonic(), 0.0
        window.add(metrics, staleness, batch.dropped)
        progress.version += 1
        progress.frames = int(self._state.agent.frames)
        params = self._params()
        divergence.check(self._run, progress.frames, jax.device_get(metrics), params)
        self._publish(params, finished=self._plan.round_items)

    def _publish(self, params: Any, finished: int) -> None:
        """Puts out the present weights `params`, made with `finished` items."""
        weights = Weights(self._progress.version, params)
        if not self._link.publish(weights, finished, self._term.learner):
            self._superseded = True
            raise RunFailed("another learner has taken the place of this one")

    def _write(self, window: Window, store: Store, frames: int) -> None:
        progress = self._progress
        self._hear_of_actors()
        report, self._report = self._report, ActorReport()
        row: dict[str, Any] = {
            "frames": progress.frames,
            "updates": int(self._state.agent.updates),
            "seconds": round(progress.seconds, 3),
            "version": progress.version,
            "actor_frames": progress.actor_frames,
            "actors_replaced": progress.replaced,
            "queue_items": store.items(),
        }
        inserted, sampled = store.counts()
        row["samples_per_insert"] = round(sampled / max(inserted, 1), 4)
        row |= window.row(frames, report)
        if evaluated := self._evaluator.results():
            of_frames, results = evaluated
            rates = self._logger.evaluated(results, of_frames)
            row |= rates | {"evaluated_frames": of_frames}
        self._logger.write(row)
        self._display.write(row)

    def _hear_of_actors(self) -> None:
        """Asks the coordinator what they did. If it is dead, what was known before has to do: what
        was learnt is worth keeping without it."""
        progress = self._progress
        with contextlib.suppress(RunFailed):
            report = self._link.take_report()
            progress.actor_frames += report.frames
            self._report.add(report)
            progress.incarnation = self._link.next_incarnation()
            progress.replaced = self._link.replaced()

    def _evaluate(self, before: int, frames: int) -> None:
        if self._evaluator.due(before, frames):
            self._evaluator.begin(frames, self._params())

    def _last_evaluation(self, store: Store, stopped: Callable[[], bool]) -> dict[str, float]:
        """Plays the suites with the last policy, here and now; nothing if it is stopped."""
        results = self._evaluator.evaluate(self._params(), self._display.say, stopped)
        if results is None:
            return {}
        rates = self._logger.evaluated(results, self._progress.frames)
        row = {
            "frames": self._progress.frames,
            "updates": int(self._state.agent.updates),
            "seconds": round(self._progress.seconds, 3),
        }
        row |= rates | {"evaluated_frames": self._progress.frames}
        self._logger.write(row)
        self._display.write(row)
        self._unevaluated = False
        self._save(store)
        return rates

    def _initial_state(self) -> LearnerState:
        state = self._learner.init(jax.random.key(self._experiment.seed))
        if self._initial_params is None:
            return state
        return replace(state, agent=self._initial_params.into(self._plan.agent, state.agent))

    def _params(self) -> Any:
        """What actors need, on the host: copies, for the state is used up by the next update."""
        params = self._plan.agent.policy_params(self._state.agent)
        return jax.tree.map(lambda leaf: np.array(leaf), params)

    def _columns(self) -> tuple[str, ...]:
        metrics = self._learner.metrics(self._plan.item, self._plan.round_items)
        evaluation = self._evaluator.columns
        episodes = episode_columns(self._plan.experiment.environment)
        return (
            *(*STEP_COLUMNS, *TIME_COLUMNS, *episodes, *sorted(metrics)),
            *(*ACTOR_COLUMNS, *DATA_COLUMNS, *lag_columns(self._plan.max_lag)),
            *((*evaluation, "evaluated_frames") if evaluation else ()),
        )

    def _save(self, store: Store) -> None:
        """Writes a checkpoint, and publishes the policy; raises Diverged if it is not finite."""
        progress = self._progress
        divergence.check(self._run, progress.frames, {}, self._state.agent)
        self._hear_of_actors()
        extra = {
            "positions": self._logger.positions(),
            "seconds": progress.seconds,
            "version": progress.version,
            "actor_frames": progress.actor_frames,
            "incarnation": progress.incarnation,
            "unevaluated": self._unevaluated,
        }
        checkpoints.save(
            self._run.checkpoints,
            progress.frames,
            self._state,
            identity=self._identity,
            extra=extra,
            keep=self._experiment.runner.keep_checkpoints,
        )
        store.save()
        self._publish_policy()

    def _publish_policy(self) -> None:
        published.publish(self._run.policy, self._params(), self._plan.spec, self._progress.frames)

    @property
    def _identity(self) -> dict[str, Any]:
        """What must be the same where a checkpoint is restored."""
        return checkpoints.identity_of(self._experiment) | {"runner": "distributed"}
