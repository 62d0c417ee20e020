"""`moravec sweep`: trains every run of a named sweep, some at a time, and skips what is done."""

import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from environments.errors import UserError
from experiments import sweeps

if TYPE_CHECKING:
    from launch.signals import Stop
    from launch.sweep_jobs import Job, Task

_POLL_SECONDS = 0.2
_SAY_SECONDS = 30.0
_STOP_SECONDS = 120.0  # for a run to write its checkpoint


@dataclass(frozen=True)
class Arguments:
    """Train the runs of a sweep into runs/sweeps/NAME/LABEL/seed-K; again, to go on with it."""

    # The sweep; see moravec list sweeps.
    name: tyro.conf.Positional[str]
    # Train each variant with the seeds 0 to N-1.
    seeds: int = 3
    # Train so many runs at once.
    jobs: int = 1

    def __post_init__(self):
        for name in ("seeds", "jobs"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} must be at least 1, not {getattr(self, name)}")


def main(args: list[str]) -> int:
    """Runs `moravec sweep ARGS`. A user's mistake raises UserError, failed runs RunFailed."""
    arguments = tyro.cli(Arguments, prog="moravec sweep", args=args)
    variants = sweeps.sweep(arguments.name).variants
    path = Path("runs") / "sweeps" / arguments.name
    from launch import run_folder, signals
    from launch.files import writing
    from launch.sweep_jobs import tasks

    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    wanted = tasks(path.absolute(), variants, arguments.seeds)
    with run_folder.lock(run_folder.RunFolder(path)):
        running: list[Job] = []

        def kill() -> None:
            for job in running:
                job.kill()

        with signals.stop_on_signals(_say, kill) as stop:
            failures = _train(wanted, arguments.jobs, running, stop)
            if stop.requested:
                _wait(running)
    if stop.requested:
        _say("stopped; the same command goes on")
        return signals.INTERRUPTED
    return _end(path, wanted, failures)


def _train(wanted: "list[Task]", jobs: int, running: "list[Job]", stop: "Stop") -> dict[str, str]:
    """Trains everything; those that fail, and why. `running` holds what is at work meanwhile."""
    from launch.sweep_jobs import Job, finished

    done = {task.name for task in wanted if finished(task.folder)}
    if done:
        _say(f"{len(done)} of {len(wanted)} are finished already")
    waiting, failures = [task for task in wanted if task.name not in done], {}
    said = time.monotonic()
    while (waiting or running) and not stop.requested:
        for task in waiting[:]:
            if lost := [name for name in task.needs if name in failures]:
                failures[task.name] = f"it needs {lost[0]}"
                waiting.remove(task)
            elif len(running) < jobs and done.issuperset(task.needs):
                waiting.remove(task)
                try:
                    running.append(job := Job(task))
                except UserError as error:
                    failures[task.name] = str(error)
                    _say(f"{task.name}: {error}")
                    continue
                _say(f"{task.name}: {'is being trained already' if job.adopted else 'begins'}")
        for job in [job for job in running if not job.running()]:
            running.remove(job)
            name, why = job.task.name, job.failure()
            _say(f"{name}: {why or 'finished'}")
            if why and job.adopted:
                waiting.insert(0, job.task)  # its sweep is gone, and so is it: go on with it
            elif why:
                failures[name] = why
            else:
                done.add(name)
        if time.monotonic() - said >= _SAY_SECONDS:
            said = time.monotonic()
            _say(_state(len(done), len(wanted), running))
        time.sleep(_POLL_SECONDS)
    return failures


def _wait(running: "list[Job]") -> None:
    """Asks all that is at work to stop, and ends what does not."""
    for job in running:
        job.signal(signal.SIGINT)
    limit = time.monotonic() + _STOP_SECONDS
    while any(job.running() for job in running) and time.monotonic() < limit:
        time.sleep(_POLL_SECONDS)
    for job in running:
        job.kill()


def _state(done: int, total: int, running: "list[Job]") -> str:
    from launch.sweep_jobs import progress

    at = ", ".join(f"{job.task.name} {progress(job.task.folder):.0%}" for job in running)
    return f"{done} of {total} finished; {at}"


def _end(path: Path, wanted: "list[Task]", failures: dict[str, str]) -> int:
    from launch.outcome import RunFailed, program

    if failures:
        told = "; ".join(f"{name} ({why})" for name, why in failures.items())
        raise RunFailed(f"{len(failures)} of {len(wanted)} runs failed: {told}")
    _say(f"all {len(wanted)} runs are finished\nnext: {program()} report {path}")
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
