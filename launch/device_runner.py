"""The device runner: trains in one compiled program, and keeps the run folder up to date."""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax

from environments.registry import build_batched
from experiments.base import Experiment
from launch import checkpoints, device_program, published
from launch.columns import EPISODE_COLUMNS
from launch.device_program import DeviceState, EpisodeSums
from launch.evaluation import Suites, rates_unless
from launch.outcome import Outcome
from launch.progress import Display
from launch.published import InitialParams
from launch.run_folder import RunFolder
from launch.run_logger import RunLogger
from launch.signals import Stop

TIME_COLUMNS = ("seconds", "frames_per_second")


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
        self._suites = Suites(experiment.evaluation, experiment.environment, self._agent, spec)
        self._shardings = device_program.shardings(self._agent, self._environment)
        self._initial_params = initial_params
        if initial_params is not None:
            initial_params.check(self._agent)
        data = device_program.data_of(self._agent)
        iterations = max(
            1, experiment.runner.log_frames // (data.unroll_length * data.environments)
        )
        self._iterate = jax.jit(
            partial(device_program.iterate, self._agent, iterations=iterations),
            donate_argnames="state",
            out_shardings=(self._shardings, None, None),
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
          stop: looked at after every row, and in evaluations.
          resume: go on from the newest whole checkpoint.

        Raises:
          UserError: there is nothing to resume from, or the run folder cannot be written.
        """
        display.say("compiling")
        # A run that was killed before its first checkpoint begins anew. Policies are published
        # after checkpoints: where there is one, there was a checkpoint, and losing it is an error.
        restored = resume and (checkpoints.steps(run.checkpoints) or run.policy.exists())
        state, extra = self._restore(run) if restored else (self._begin(), {})
        program = self._iterate.lower(environment=self._environment, state=state)
        logger = RunLogger(run, self._columns(program.out_info[1]), extra.get("positions"))
        try:
            if restored:
                self._publish(run, state)  # it may be older or newer than the checkpoint
            return self._loop(state, program, extra, run, logger, display, stop)
        finally:
            logger.close()

    def _loop(
        self,
        state: DeviceState,
        program: jax.stages.Lowered,
        extra: Mapping[str, Any],
        run: RunFolder,
        logger: RunLogger,
        display: Display,
        stop: Stop,
    ) -> Outcome:
        experiment, seconds, rates = self._experiment, float(extra.get("seconds", 0.0)), {}
        frames = int(state.agent.frames)
        finished = frames >= experiment.max_frames
        if row := extra.get("row"):  # killed or stopped before it was written
            finished = self._is_over(row)
            rates = self._evaluate(state, row, logger, display, stop)
            if rates is None:
                return Outcome(frames, seconds, False, {})
            self._save(run, state, logger, seconds)
        if finished or stop.requested:
            return Outcome(frames, seconds, finished, rates)
        iterate = program.compile()
        began = saved = time.monotonic()
        while not finished and not stop.requested:
            chunk_began, before = time.monotonic(), frames
            state, metrics, sums = iterate(environment=self._environment, state=state)
            row = _row(state, metrics, sums)
            frames, now = int(row["frames"]), time.monotonic()
            row["seconds"] = round(seconds + now - began, 3)
            row["frames_per_second"] = round((frames - before) / (now - chunk_began), 1)
            finished, rates = self._is_over(row), {}
            if self._suites.columns and (finished or self._suites.due(before, frames)):
                # An evaluation may take long: what was learnt is safe before it begins.
                self._save(run, state, logger, seconds + now - began, row)
                saved = time.monotonic()
                rates = self._evaluate(state, row, logger, display, stop)
                if rates is None:
                    return Outcome(frames, seconds + now - began, False, {})
            else:
                _write(row, logger, display)
            due = now - saved >= experiment.runner.checkpoint_minutes * 60
            if finished or due or stop.requested:
                self._save(run, state, logger, seconds + time.monotonic() - began)
                saved = time.monotonic()
        return Outcome(frames, seconds + time.monotonic() - began, finished, rates)

    def _is_over(self, row: Mapping[str, Any]) -> bool:
        """Whether the budget, of frames or of time, is spent with this row."""
        late = 0 < self._experiment.max_minutes * 60 <= row["seconds"]
        return late or row["frames"] >= self._experiment.max_frames

    def _evaluate(
        self,
        state: DeviceState,
        row: Mapping[str, Any],
        logger: RunLogger,
        display: Display,
        stop: Stop,
    ) -> dict[str, float] | None:
        """Writes the row with the rates on the suites, and gives these; None, and no row, if it
        was stopped."""
        params = self._agent.policy_params(state.agent)
        evaluate = partial(self._suites.evaluate, params, display.say)
        rates = rates_unless(lambda: stop.requested, evaluate)
        if rates is not None:
            _write({**row, **rates}, logger, display)
        return rates

    def _begin(self) -> DeviceState:
        init = jax.jit(partial(device_program.init, self._agent), out_shardings=self._shardings)
        state = init(environment=self._environment, key=jax.random.key(self._experiment.seed))
        if self._initial_params is None:
            return state
        agent = self._initial_params.into(self._agent, state.agent)
        return replace(state, agent=jax.device_put(agent, self._shardings.agent))

    def _columns(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """The columns of every row."""
        return ("frames", *TIME_COLUMNS, *EPISODE_COLUMNS, *sorted(metrics), *self._suites.columns)

    def _save(
        self,
        run: RunFolder,
        state: DeviceState,
        logger: RunLogger,
        seconds: float,
        row: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes a checkpoint, and publishes the policy.

        `row`: the last one, if it still waits for its evaluation; who resumes begins with that.
        """
        checkpoints.save(
            run.checkpoints,
            int(state.agent.frames),
            state,
            identity=checkpoints.identity_of(self._experiment),
            extra={"positions": logger.positions(), "seconds": seconds, "row": row},
            keep=self._experiment.runner.keep_checkpoints,
        )
        self._publish(run, state)

    def _publish(self, run: RunFolder, state: DeviceState) -> None:
        params = self._agent.policy_params(state.agent)
        spec = self._environment.spec
        published.publish(run.policy, params, spec, int(state.agent.frames))

    def _restore(self, run: RunFolder) -> tuple[DeviceState, dict[str, Any]]:
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
        found = checkpoints.restore(run.checkpoints, like, identity=identity)
        return found.state, found.extra


def _row(state: DeviceState, metrics: Mapping[str, Any], sums: EpisodeSums) -> dict[str, Any]:
    """A row of metrics, without its time columns; what no episode tells is left out."""
    frames, metrics, sums = jax.device_get((state.agent.frames, metrics, sums))
    row: dict[str, Any] = {"frames": int(frames), "episodes": int(sums.episodes)}
    if sums.episodes:
        row["success_rate"] = float(sums.successes) / int(sums.episodes)
        row["episode_return"] = float(sums.returns) / int(sums.episodes)
        row["episode_length"] = float(sums.lengths) / int(sums.episodes)
    return row | {name: float(value) for name, value in metrics.items()}


def _write(row: Mapping[str, Any], logger: RunLogger, display: Display) -> None:
    logger.write(row)
    display.write(row)
