"""The runners, by `runner.kind`."""

from typing import TYPE_CHECKING, Protocol

from experiments.base import Experiment
from launch.outcome import Outcome
from launch.platforms import require_ports, require_reverb, use_platform
from launch.progress import Display
from launch.run_folder import RunFolder
from launch.signals import Stop

if TYPE_CHECKING:
    from launch.published import InitialParams


class TrainingRunner(Protocol):
    """Trains one experiment; made when all that can be checked has been."""

    def train(
        self, run: RunFolder, display: Display, stop: Stop, *, resume: bool = False
    ) -> Outcome:
        """Trains until the budget is spent or `stop` is requested."""
        ...


def make_runner(
    experiment: Experiment, initial_params: "InitialParams | None" = None
) -> TrainingRunner:
    """The runner that the experiment names.

    Args:
      experiment: what to train.
      initial_params: parameters to begin with; None draws them all.

    Raises:
      UserError: the experiment cannot be run, here or at all, or the parameters are another
        network's.
    """
    kind = experiment.runner.kind
    if kind != "device":
        require_reverb(kind)
    if kind != "ray":  # whose learner is elsewhere
        use_platform(experiment.runner.platform)
    if kind == "device":
        from launch.device_runner import DeviceRunner

        return DeviceRunner(experiment, initial_params)
    if kind == "local" or not experiment.runner.address:  # else other machines serve
        require_ports(experiment.runner.port, experiment.runner.replay_shards)
    if kind == "local":
        from launch.distributed.local_runner import LocalRunner

        return LocalRunner(experiment, initial_params)
    from launch.distributed.ray_runner import RayRunner

    return RayRunner(experiment, initial_params)
