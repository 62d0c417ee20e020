"""The three files of metrics in a run folder, written together and resumed together."""

from collections.abc import Mapping, Sequence

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
        at = positions or {}
        self._csv = CSVLogger(run.metrics, columns, at.get("metrics"))
        self._text = TextLogger(run.log, at.get("log"))
        super().__init__(
            (self._csv, self._text, TensorBoardLogger(run.tensorboard, read_csv(run.metrics)))
        )

    def positions(self) -> dict[str, Position]:
        """Where the files stand; what a checkpoint keeps."""
        return {"metrics": self._csv.position(), "log": self._text.position()}
