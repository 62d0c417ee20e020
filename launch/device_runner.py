"""The device runner: trains in one compiled program, and keeps the run folder up to date."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import numpy as np

from environments.registry import build_batched
from experiments.base import Experiment
from launch import checkpoints, device_program, divergence, published
from launch.chunks import Chunks
from launch.clock import Clock
from launch.columns import EPISODE_COLUMNS, STEP_COLUMNS
from launch.device_program import DeviceState, Sums
from launch.evaluation import Suites, results_unless
from launch.outcome import Outcome
from launch.progress import Display
from launch.published import InitialParams
from launch.run_folder import RunFolder
from launch.run_logger import RunLogger
from launch.signals import Stop

TIME_COLUMNS = ("seconds", "frames_per_second")


@dataclass
class _Session:
    """One process's part of a run: what it writes to, and whom it obeys."""

    run: RunFolder
    logger: RunLogger
    display: Display
    stop: Stop
    clock: Clock
    saved: float = field(default_factory=time.monotonic)  # when the last checkpoint was

    def write(self, row: Mapping[str, Any]) -> None:
        """Writes a row of metrics, and shows it."""
        self.logger.write(row)
        self.display.write(row)


class DeviceRunner:
    """Trains one experiment. Making one loads levels and checks all that can be checked."""

    def __init__(self, experiment: Experiment, initial_params: InitialParams | None = None):
        """Checks that it can be run.

        Args:
          experiment: what to train.
          initial_params: parameters to begin with; None draws them all.

        Raises:
          UserError: the experiment cannot be run, or the parameters are another network's.
        """
        self._experiment = experiment
        self._environment = build_batched(experiment.environment)
        spec = self._environment.spec
        self._agent = experiment.agent.make(spec, experiment.max_frames)
        self._suites = Suites(experiment, self._agent, spec)
        self._shardings = device_program.shardings(self._agent, self._environment)
        self._initial_params = initial_params
        if initial_params is not None:
            initial_params.check(self._agent)
        data = device_program.data_of(self._agent)
        self._row_iterations = max(
            1, experiment.runner.log_frames // (data.unroll_length * data.environments)
        )
        replicated = self._shardings.key
        self._no_sums = jax.device_put(
            device_program.no_sums(self._agent, self._environment), replicated
        )
        self._iterate = jax.jit(
            partial(device_program.iterate, self._agent),
            donate_argnames="state",
            out_shardings=(self._shardings, replicated),
        )

    def train(
        self,
        run: RunFolder,
        display: Display,
        stop: Stop,
        *,
        resume: bool = False,
    ) -> Outcome:
        """Trains until the budget is spent or `stop` is requested.

        Args:
          run: where to; its configuration is written already.
          display: shows progress.
          stop: looked at about every second, or every iteration if one takes longer.
          resume: go on from the newest whole checkpoint.

        Raises:
          UserError: there is nothing to resume from, or the run folder cannot be written.
          RunFailed: training diverged.
        """
        display.say("compiling")
        # A run that was killed before its first checkpoint begins anew. Policies are published
        # after checkpoints: where there is one, there was a checkpoint, and losing it is an error.
        restored = resume and (checkpoints.steps(run.checkpoints) or run.policy.exists())
        (state, sums), extra = self._restore(run) if restored else (self._begin(), {})
        logger = RunLogger(run, self._columns(), extra.get("positions"))
        try:
            session = _Session(run, logger, display, stop, Clock(float(extra.get("seconds", 0.0))))
            if restored:
                self._publish(run, state)  # it may be older or newer than the checkpoint
            return self._continue(session, state, sums, extra.get("row"))
        finally:
            logger.close()

    def _continue(
        self, session: _Session, state: DeviceState, sums: Sums, row: Mapping[str, Any] | None
    ) -> Outcome:
        """Goes on from a checkpoint or a beginning.

        `row`: the last one, if the run was killed or stopped before it was evaluated and written.
        """
        frames, clock, rates = int(state.agent.frames), session.clock, {}
        if row:
            rates = self._evaluate(session, state, row)
            if rates is None:
                return Outcome(frames, clock.seconds, False, {})
            self._save(session, state, sums)
        finished = self._is_over(frames, clock)
        if finished or session.stop.requested:
            return Outcome(frames, clock.seconds, finished, rates)
        return self._loop(session, Chunks(self._compiled(state), self._row_iterations), state, sums)

    def _loop(self, session: _Session, chunks: Chunks, state: DeviceState, sums: Sums) -> Outcome:
        clock, rates, finished = session.clock, {}, False
        clock.start()
        session.saved = time.monotonic()
        frames = int(state.agent.frames)
        while not finished and not session.stop.requested:
            state, sums = chunks.run(state, sums)
            frames = int(state.agent.frames)
            divergence.check(session.run, frames, jax.device_get(sums.metrics))
            finished, rates = self._is_over(frames, clock), {}
            if finished or chunks.row_is_full(sums):
                row = _row(state, sums)
                row |= {"seconds": round(clock.seconds, 3), "frames_per_second": chunks.speed()}
                due = finished or self._suites.due(int(sums.frames_before), frames)
                sums = self._new_sums(frames)
                rates = self._end_row(session, state, sums, row, due)
                if rates is None:
                    return Outcome(frames, clock.seconds, False, {})
            else:
                session.display.write({"frames": frames})
            unsaved = (time.monotonic() - session.saved) / 60
            old = unsaved >= self._experiment.runner.checkpoint_minutes
            if finished or old or session.stop.requested:
                self._save(session, state, sums)
        return Outcome(frames, clock.seconds, finished, rates)

    def _end_row(
        self,
        session: _Session,
        state: DeviceState,
        sums: Sums,
        row: Mapping[str, Any],
        due: bool,
    ) -> dict[str, float] | None:
        """Writes the row, with the rates on the suites if they are `due`.

        Returns the rates; None, and writes no row, if the evaluation was stopped.
        """
        if not (due and self._suites.columns):
            session.write(row)
            return {}
        # An evaluation may take long: what was learnt is safe before it begins.
        self._save(session, state, sums, row)
        session.clock.stop()
        rates = self._evaluate(session, state, row)
        session.clock.start()
        return rates

    def _is_over(self, frames: int, clock: Clock) -> bool:
        """Whether the budget, of frames or of time, is spent."""
        late = 0 < self._experiment.max_minutes * 60 <= clock.seconds
        return late or frames >= self._experiment.max_frames

    def _evaluate(
        self, session: _Session, state: DeviceState, row: Mapping[str, Any]
    ) -> dict[str, float] | None:
        """Plays the suites; writes the results, and the row with their rates. Returns the rates, or
        None, and writes nothing, if it was stopped."""
        params = self._agent.policy_params(state.agent)
        evaluate = partial(self._suites.evaluate, params, session.display.say)
        results = results_unless(lambda: session.stop.requested, evaluate)
        if results is None:
            return None
        rates = session.logger.evaluated(results, row["frames"])
        session.write({**row, **rates})
        return rates

    def _compiled(self, state: DeviceState) -> Callable[..., tuple[DeviceState, Sums]]:
        """The program, for a state and sums and a number of iterations."""
        fixed = {
            "environment": self._environment,
            "max_frames": np.uint32(self._experiment.max_frames),
        }
        program = self._iterate.lower(
            state=state, sums=self._no_sums, iterations=np.int32(1), **fixed
        ).compile()
        return lambda state, sums, iterations: program(
            state=state, sums=sums, iterations=np.int32(iterations), **fixed
        )

    def _begin(self) -> tuple[DeviceState, Sums]:
        init = jax.jit(partial(device_program.init, self._agent), out_shardings=self._shardings)
        state = init(environment=self._environment, key=jax.random.key(self._experiment.seed))
        if self._initial_params is not None:
            agent = self._initial_params.into(self._agent, state.agent)
            state = replace(state, agent=jax.device_put(agent, self._shardings.agent))
        return state, self._new_sums(0)

    def _new_sums(self, frames: int) -> Sums:
        """Those of a row that begins after so many frames."""
        before = jax.device_put(np.uint32(frames), self._shardings.key)
        return replace(self._no_sums, frames_before=before)

    def _columns(self) -> tuple[str, ...]:
        """The columns of every row."""
        metrics = sorted(self._no_sums.metrics)
        first = (*STEP_COLUMNS, *TIME_COLUMNS, *EPISODE_COLUMNS)
        return (*first, *metrics, *self._suites.columns)

    def _save(
        self,
        session: _Session,
        state: DeviceState,
        sums: Sums,
        row: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes a checkpoint, and publishes the policy.

        `row`: the last one, if it still waits for its evaluation; who resumes begins with that.
        Raises Diverged, and writes nothing, if what was learnt is not finite.
        """
        run, frames = session.run, int(state.agent.frames)
        divergence.check(run, frames, {}, (state.agent, state.core))
        extra = {
            "positions": session.logger.positions(),
            "seconds": session.clock.seconds,
            "row": row,
        }
        checkpoints.save(
            run.checkpoints,
            frames,
            (state, sums),
            identity=checkpoints.identity_of(self._experiment),
            extra=extra,
            keep=self._experiment.runner.keep_checkpoints,
        )
        self._publish(run, state)
        session.saved = time.monotonic()

    def _publish(self, run: RunFolder, state: DeviceState) -> None:
        params = self._agent.policy_params(state.agent)
        spec = self._environment.spec
        published.publish(run.policy, params, spec, int(state.agent.frames))

    def _restore(self, run: RunFolder) -> tuple[tuple[DeviceState, Sums], dict[str, Any]]:
        """The newest whole checkpoint and what was kept beside it."""
        shapes = jax.eval_shape(
            lambda key: device_program.init(self._agent, self._environment, key),
            jax.random.key(0),
        )
        like = jax.tree.map(
            lambda x, sharding: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding),
            shapes,
            self._shardings,
        )
        identity = checkpoints.identity_of(self._experiment)
        found = checkpoints.restore(run.checkpoints, (like, self._no_sums), identity=identity)
        return found.state, found.extra


def _row(state: DeviceState, sums: Sums) -> dict[str, Any]:
    """A row of metrics, without its time columns; what no episode tells is left out."""
    frames, updates, sums = jax.device_get((state.agent.frames, state.agent.updates, sums))
    episodes, iterations = sums.episodes, int(sums.iterations)
    number = int(episodes.episodes)
    row: dict[str, Any] = {
        "frames": int(frames),
        "updates": int(updates),
        "episodes": number,
    }
    if number:
        row["success_rate"] = float(episodes.successes) / number
        row["episode_return"] = float(episodes.returns) / number
        row["episode_length"] = float(episodes.lengths) / number
    return row | {name: float(total) / iterations for name, total in sums.metrics.items()}
