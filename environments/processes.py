"""What belongs to one process, and is of no use in a fork of it."""

import os

from environments.errors import UserError


class Home:
    """The process in which something was made that has threads, or processes of its own."""

    def __init__(self, what: str):
        self._what, self._process = what, os.getpid()

    @property
    def here(self) -> bool:
        """Whether this is that process."""
        return os.getpid() == self._process

    def check(self) -> None:
        """Raises UserError in any other process, where whoever waits would wait for ever."""
        if not self.here:
            raise UserError(
                f"{self._what} cannot be used in a fork of the process that made them: make them "
                "after the fork, in the process that uses them"
            )


def refuse_copies(what: str) -> None:
    """Raises UserError that says what to do instead of copying many worlds."""
    raise UserError(
        f"{what} cannot be copied or pickled: make others with environments.load_vector, and "
        "restore() a snapshot() there"
    )
