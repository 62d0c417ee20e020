"""Demonstrations of a run: recorded or copied into its folder, and served from a Reverb table."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import jax

from agents.base import Replay
from environments.errors import UserError
from launch.demonstrations import Stream, load, record, save, sequences
from launch.distributed.base import count
from launch.distributed.batches import Shown
from launch.distributed.plan import Plan
from launch.outcome import RunFailed
from launch.progress import Display
from launch.run_folder import RunFolder
from launch.signals import Stop

SCRIPTED = "scripted"
_SALT = 7  # so that a script's worlds are not those of actors


def check(plan: Plan) -> None:
    """Raises UserError if the run cannot learn from the demonstrations that it is to have."""
    experiment, wanted = plan.experiment, plan.experiment.demonstrations
    if not wanted.source:
        return
    if not isinstance(plan.agent.data, Replay):
        raise UserError("demonstrations need an agent that learns from a replay: use mpo")
    if experiment.runner.learners > 1:
        raise UserError("demonstrations need runner.learners of 1")
    if experiment.runner.kind == "local":  # else the devices are another process's
        check_split(plan)
    if wanted.source != SCRIPTED:
        sequences(_given(plan), plan.item, plan.period)


def check_split(plan: Plan) -> None:
    """Raises UserError if this process's devices cannot share what an update learns from."""
    beside = plan.experiment.demonstrations.beside(plan.round_items)
    devices = jax.local_device_count()
    if beside and (plan.round_items + beside) % devices:
        raise UserError(
            f"an update from {plan.round_items} sequences and {beside} of demonstrations cannot "
            f"be split over {devices} devices: set demonstrations.fraction so that it can"
        )


def prepare(plan: Plan, run: RunFolder, display: Display, stop: Stop) -> bool:
    """Has the run folder hold the demonstrations, if there are to be any.

    Returns:
      False if it was stopped before they were recorded.

    Raises:
      UserError: the script wins too seldom, or the folder cannot be written.
    """
    experiment, wanted = plan.experiment, plan.experiment.demonstrations
    if not wanted.source or run.demonstrations.exists():
        return True
    options = experiment.environment
    if wanted.source == SCRIPTED:
        display.say(f"recording {wanted.episodes} demonstrations")
        seed = experiment.seed + (_SALT << 32)
        found = record(options, plan.spec, wanted.episodes, seed, stopped=lambda: stop.requested)
    else:
        found = _given(plan)
    if found is None:
        return False
    save(run.demonstrations, found, options)
    return True


@contextmanager
def served(plan: Plan, run: RunFolder) -> Iterator[Shown | None]:
    """A table of this process with the run's demonstrations, for its learner; None of none."""
    if not plan.experiment.demonstrations.source:
        yield None
        return
    from launch.replay.sampler import ItemSampler  # TensorFlow: seconds
    from launch.replay.server import ReplayServer
    from launch.replay.tables import Given
    from launch.replay.writer import ItemWriter

    stream = load(run.demonstrations, plan.experiment.environment, plan.spec)
    items = sequences(stream, plan.item, plan.period)
    beside = plan.experiment.demonstrations.beside(plan.round_items)
    server = ReplayServer(Given(), plan.item, capacity=count(items))
    with closing(server):
        address = f"localhost:{server.port}"
        with closing(ItemWriter(address, plan.item)) as writer:
            if not writer.write(items, stop=lambda: False):
                raise RunFailed("the demonstrations could not be written to their table")
        with closing(ItemSampler(address, plan.item, ahead=beside, together=beside)) as sampler:
            yield Shown(sampler, beside)


def _given(plan: Plan) -> Stream:
    path = Path(plan.experiment.demonstrations.source)
    if not path.exists():
        raise UserError(
            f"demonstrations.source: there is no file {path}; give {SCRIPTED!r}, or the "
            "demonstrations.npz of a run"
        )
    return load(path, plan.experiment.environment, plan.spec)
