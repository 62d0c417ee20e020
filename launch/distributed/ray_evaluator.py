"""Evaluation beside training under Ray: in an actor, at low priority."""

import os
import time
from typing import Any

from agents.base import Params
from launch import configuration
from launch.distributed.plan import make_plan
from launch.distributed.ray_cluster import exceptions, ray
from launch.distributed.ray_handles import reason, spawn
from launch.distributed.ray_parts import enter
from launch.evaluator import NICE, Evaluator, make_suites
from launch.results import Result


class EvaluatorPart:
    """Plays the suites of a run."""

    def __init__(self, folder: str, document: dict[str, Any]):
        """See `ray_parts.ActorPart`."""
        os.nice(NICE)
        enter(folder)
        plan = make_plan(configuration.from_json(document))
        self._suites = make_suites(plan.experiment, plan.agent, plan.spec)

    def evaluate(self, params: Params) -> list[Result]:
        """The result on each suite."""
        return self._suites.evaluate(params, lambda text: None)


class RayEvaluator(Evaluator):
    """An `Evaluator` whose process is a Ray actor, on any node."""

    _part: Any = None
    _waiting: Any = None  # a reference to the results

    def begin(self, frames: int, params: Params) -> None:
        """See `Evaluator`."""
        if not self._is_free(frames):
            return
        if self._part is None:
            self._part = spawn(EvaluatorPart, os.getcwd(), configuration.to_json(self._experiment))
        self._waiting = self._part.evaluate.remote(params)
        self._frames, self._since = frames, time.monotonic()

    def results(self) -> tuple[int, list[Result]] | None:
        """See `Evaluator`."""
        if self._frames is None:
            return None
        if not ray.wait([self._waiting], timeout=0)[0]:
            self._lose_if_late()
            return None
        try:
            results: Any = ray.get(self._waiting)
        except exceptions.RayError as error:  # the next evaluation starts another
            self._lose(reason(error))
            return None
        frames, self._frames = self._frames, None
        return frames, results

    def close(self) -> None:
        """See `Evaluator`."""
        if self._part is not None:
            ray.kill(self._part)
        self._part = self._frames = None
