"""A program that speaks the Go Text Protocol (version 2), as a process that may die or hang."""

import os
import select
import subprocess
import time
import weakref

from environments.processes import Home


class EngineError(Exception):
    """The program died, or gave no answer in time; it has been killed."""


class RefusedError(Exception):
    """The program refused a command; it goes on running."""


class GtpEngine:
    """One running program. Every answer is waited for with a timeout."""

    def __init__(self, command: list[str]):
        """Starts the program. Raises EngineError if that fails."""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for us, not for it
            )
        except OSError as error:
            raise EngineError(f"{command[0]} does not start: {error}") from error
        self.pid = self._process.pid
        self._home = Home("programs that play")
        # Also when it is forgotten.
        self.close = weakref.finalize(self, _end, self._process, self._home)

    def kill(self) -> None:
        """Kills the program; any thread may. Whoever waits for an answer then gets EngineError.

        Not in a fork, whose parent may go on with it.
        """
        if self._home.here:
            self._process.kill()

    def ask(self, command: str, timeout: float) -> str:
        """The answer to `command` within `timeout` seconds.

        Raises EngineError if the program is dead or silent, RefusedError if it says no, UserError
        in a fork: its parent talks to the program.
        """
        self._home.check()
        try:
            return self._answer(command, time.monotonic() + timeout)
        except (OSError, EngineError) as error:
            self.close()
            raise EngineError(f"{command.split()[0]}: {error}") from error

    def _answer(self, command: str, deadline: float) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        os.write(self._process.stdin.fileno(), f"{command}\n".encode())
        descriptor, text = self._process.stdout.fileno(), b""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while not text.endswith(b"\n\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise EngineError("no answer in time")
            chunk = os.read(descriptor, 1 << 16)
            if not chunk:
                raise EngineError("the program has ended")
            text = (text + chunk).replace(b"\r", b"")
        answer = text.decode(errors="replace").strip()
        if answer.startswith("?"):
            raise RefusedError(f"{command}: {answer[1:].strip()}")
        return answer[1:].strip()


def _end(process: subprocess.Popen, home: Home) -> None:
    """Kills the program, stopped or not, and takes its last status; not in a fork."""
    if home.here:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
