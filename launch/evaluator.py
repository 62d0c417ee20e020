"""Evaluation beside training: suites played by a process of its own, at low priority."""

import contextlib
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import jax

from agents.base import Agent, Params
from environments.base import EnvironmentSpec
from environments.registry import entry, name_of
from experiments.base import Experiment
from launch import configuration
from launch.columns import assessed, column_name, columns_of
from launch.distributed.processes import ProcessHandle
from launch.evaluation import Suites, results_unless
from launch.progress import now_and_then
from launch.results import Result
from launch.world_assessment import metric_names

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

NICE = 10  # the evaluator gets the cores that nobody else wants
_SAY_SECONDS = 5.0
_LIMIT_SECONDS = 3600.0  # for one evaluation beside training
_JOIN_SECONDS = 10.0
_log = logging.getLogger(__name__)


class WorldSuites:
    """The evaluations of one run in an environment without a batched face."""

    def __init__(self, experiment: Experiment, agent: Agent, spec: EnvironmentSpec):
        """Raises UserError if a suite does not fit the environment."""
        from launch.suite_options import on_suite

        self._experiment, self._agent, self._spec = experiment, agent, spec
        for suite in experiment.evaluation.suites:
            on_suite(experiment.environment, suite)
        suites, names = experiment.evaluation.suites, metric_names(agent, spec)
        columns = [columns_of(suite, spec.outcomes) for suite in suites]
        columns += [assessed(suite, names) for suite in suites]
        self.columns = tuple(column for each in columns for column in each)

    def evaluate(
        self,
        params: Params,
        say: Callable[[str], None],
        check: Callable[[], None] = lambda: None,
    ) -> list[Result]:
        """One result for each suite: what `moravec evaluate` finds with this policy. `run` and
        `frames` are left empty.

        Args:
          params: of the policy.
          say: told how far it is.
          check: called several times a second; what it raises ends the evaluation.
        """
        from launch.policy import Policy
        from launch.world_evaluation import evaluate_policy

        episodes, results = self._experiment.evaluation.episodes, []
        policy = Policy(self._experiment, self._spec, 0, self._agent, jax.device_put(params))
        for suite in self._experiment.evaluation.suites:
            title = column_name(suite) + (f", {episodes} episodes" if episodes else "")
            check()
            say(title)
            report = _reporter(title, say, check)
            result = evaluate_policy(
                *("", policy, suite),
                episodes=episodes,
                seed=self._experiment.seed,
                report=report,
                check=check,
            )
            results.append(result)
        return results


def _reporter(
    title: str, say: Callable[[str], None], check: Callable[[], None]
) -> Callable[[int], None]:
    """Checks, and says now and then how many episodes were played."""
    tell = now_and_then(lambda played: say(f"{title}: {played} played"), _SAY_SECONDS)

    def report(played: int) -> None:
        check()
        tell(played)

    return report


def make_suites(
    experiment: Experiment, agent: Agent, spec: EnvironmentSpec
) -> "Suites | WorldSuites":
    """What plays the suites of an experiment. Raises UserError if one does not fit."""
    if entry(name_of(experiment.environment)).batched is None:
        return WorldSuites(experiment, agent, spec)
    return Suites(experiment, agent, spec)


class Evaluator:
    """Plays the suites of a run: here, or in a process beside it.

    The process is started by the first `begin`. If it dies, the evaluation that it was at is lost,
    and the next one starts another.
    """

    def __init__(self, experiment: Experiment, agent: Agent, spec: EnvironmentSpec):
        """Raises UserError if a suite does not fit the environment."""
        self._experiment, self._suites = experiment, make_suites(experiment, agent, spec)
        self._process: ProcessHandle | None = None
        self._connection: Connection | None = None
        self._sender: threading.Thread | None = None
        self._frames: int | None = None  # of the policy that is being evaluated
        self._since = 0.0  # when it was begun

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the success rates."""
        return self._suites.columns

    def due(self, before: int, after: int) -> bool:
        """Whether an evaluation lies between two counts of frames."""
        return self._experiment.evaluation.due(before, after)

    def evaluate(
        self,
        params: Params,
        say: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> list[Result] | None:
        """The result on each suite; waits for it, unless `stopped()`: None."""
        return results_unless(stopped, partial(self._suites.evaluate, params, say))

    def begin(self, frames: int, params: Params) -> None:
        """Begins an evaluation beside training; none, but a warning, if one is under way."""
        if not self._is_free(frames):
            return
        if self._process is None or self._process.ended():
            self._start()
        self._frames, self._since = frames, time.monotonic()
        # It may be slow to read: training does not wait for that.
        arguments = self._connection, params
        self._sender = threading.Thread(target=self._send, args=arguments, daemon=True)
        self._sender.start()

    def _is_free(self, frames: int) -> bool:
        """Whether an evaluation can begin."""
        if self._frames is not None:
            _log.warning(
                "frame %s is not evaluated: the evaluation of frame %s is under way",
                *(frames, self._frames),
            )
        return self._frames is None and bool(self.columns)

    @staticmethod
    def _send(connection: "Connection", params: Params) -> None:
        with contextlib.suppress(OSError):  # it died: see `results`
            connection.send(params)

    def results(self) -> tuple[int, list[Result]] | None:
        """An evaluation that has ended since the last call: the frames of its policy, and the
        result on each suite. None if none has."""
        if self._frames is None or self._connection is None:
            return None
        try:
            if not self._connection.poll():
                self._lose_if_late()
                return None
            results = self._connection.recv()
        except (OSError, EOFError):
            self._lose("its process died")
            return None
        frames, self._frames = self._frames, None
        return frames, results

    def _lose_if_late(self) -> None:
        if time.monotonic() - self._since > _LIMIT_SECONDS:
            self._lose(f"it took more than {_LIMIT_SECONDS / 60:.0f} minutes")

    def _lose(self, why: str) -> None:
        """Gives up the evaluation that is under way."""
        _log.warning("the evaluation of frame %s is lost: %s", self._frames, why)
        self.close()

    def close(self) -> None:
        """Ends the process, whatever it is at."""
        if self._process is not None:
            self._process.kill()  # it holds nothing that can be lost
        if self._sender is not None:
            # It ends, for its reader is dead; until then it uses the connection.
            self._sender.join(_JOIN_SECONDS)
        if self._connection is not None:
            self._connection.close()
        self._connection = self._process = self._sender = self._frames = None

    def _start(self) -> None:
        self.close()
        self._connection, other = multiprocessing.Pipe()
        arguments = configuration.to_json(self._experiment), other
        self._process = ProcessHandle(_serve, arguments, "evaluator")
        other.close()


def _serve(document: dict[str, Any], connection: "Connection") -> None:
    """The process: evaluates parameters as they come, until nobody is there any more."""
    os.nice(NICE)
    from launch.distributed.plan import environment_spec

    experiment = configuration.from_json(document)
    spec = environment_spec(experiment.environment)
    agent = experiment.agent.make(spec, experiment.max_frames)
    suites = make_suites(experiment, agent, spec)
    while True:
        try:
            params = connection.recv()
        except (EOFError, OSError):
            return
        results = suites.evaluate(params, lambda text: None)
        with contextlib.suppress(OSError):  # who asked is gone: so says the next `recv`
            connection.send(results)
