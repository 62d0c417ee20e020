"""The policy that `--init-from` brings: the run's copy of it, and what training it took."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from environments.errors import UserError
from launch import configuration, files, results
from launch.run_folder import RunFolder

if TYPE_CHECKING:
    from launch.published import InitialParams


@dataclass(frozen=True)
class Origin:
    """Where a policy comes from; what `initial_policy.json` holds."""

    run: str  # its folder, absolute
    frames: int  # of training of that run
    frames_before: int  # of the runs that it had begun with itself


@dataclass(frozen=True)
class InitialPolicy:
    """A published policy to begin with."""

    data: bytes  # of its file
    params: "InitialParams"
    origin: Origin


def read(source: RunFolder, frames_before: int) -> InitialPolicy:
    """The policy of a run, which had begun with runs of so many frames.

    Raises UserError if it has none, or a damaged one.
    """
    from launch import published

    policy = published.load(source.policy)
    origin = Origin(str(source.path.resolve()), policy.frames, frames_before)
    params = published.InitialParams(policy.params)
    return InitialPolicy(source.policy.read_bytes(), params, origin)


def keep(run: RunFolder, policy: InitialPolicy) -> None:
    """Copies it into a run, which may need it again when it is resumed."""
    files.atomic_write(run.initial_policy, policy.data)
    files.atomic_write(run.initial_policy_record, json.dumps(asdict(policy.origin)) + "\n")


def origin_of(run: RunFolder) -> Origin | None:
    """Where the policy that the run began with comes from; None if it began with none.

    A run of an older version does not know from where, nor what that one had begun with.
    """
    if not run.initial_policy.exists():
        return None
    path = run.initial_policy_record
    if not path.exists():
        from launch import published

        return Origin("", published.load(run.initial_policy).frames, 0)
    try:
        return configuration.parse(Origin, results.read_json(path))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def frames(run: RunFolder) -> int:
    """The frames that this policy had learnt from, with those of the runs before it."""
    origin = origin_of(run)
    return origin.frames + origin.frames_before if origin else 0
