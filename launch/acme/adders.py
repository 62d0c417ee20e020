"""A Reverb client as Acme's adders expect one."""

from typing import Any

import reverb


class AdderClient:
    """A Reverb client whose writers accept Acme 0.4.0's arguments.

    Every adder passes `get_signature_timeout_ms`, which Reverb 0.14 no longer knows. Give an adder
    this instead of the client, and close the adder before the server.
    """

    def __init__(self, client: reverb.Client):
        self._client = client

    def trajectory_writer(
        self, num_keep_alive_refs: int, *, get_signature_timeout_ms: int | None = None
    ) -> reverb.TrajectoryWriter:
        """The client's own writer; the time limit is dropped."""
        del get_signature_timeout_ms
        return self._client.trajectory_writer(num_keep_alive_refs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
