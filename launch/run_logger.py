"""What training writes into a run folder as it goes on: three files of metrics, and evaluations.

The three are written together and resumed together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from launch import results
from launch.columns import row_of
from launch.loggers import CSVLogger, MultiLogger, Position, TextLogger, read_csv
from launch.run_folder import RunFolder
from launch.tensorboard import TensorBoardLogger


class RunLogger(MultiLogger):
    """Writes `metrics.csv`, `tensorboard/` and `log.txt`. Rows are on the disk when written."""

    def __init__(
        self,
        run: RunFolder,
        columns: Sequence[str],
        positions: Mapping[str, Position] | None = None,
    ):
        """Begins the files anew, or goes on at `positions`, cutting what comes after them.

        Args:
          run: the folder.
          columns: of all rows; a row may lack some.
          positions: as the method of that name gave them when the checkpoint was written.
        """
        self._run, self._columns = run, columns
        at = positions or {}
        self._csv = CSVLogger(run.metrics, columns, at.get("metrics"))
        self._text = TextLogger(run.log, at.get("log"))
        super().__init__(
            (self._csv, self._text, TensorBoardLogger(run.tensorboard, read_csv(run.metrics)))
        )

    def positions(self) -> dict[str, Position]:
        """Where the files stand; what a checkpoint keeps."""
        return {"metrics": self._csv.position(), "log": self._text.position()}

    def evaluated(self, played: Iterable[results.Result], frames: int) -> dict[str, float]:
        """Keeps the results of the policy after so many frames in the run's `evaluation` folder.

        Returns what the next row of metrics tells of them. Raises UserError for a full disk.
        """
        kept = [replace(result, run=str(self._run.path), frames=frames) for result in played]
        for result in kept:
            results.keep(result, self._run.evaluation)
        return row_of(kept, self._columns)
