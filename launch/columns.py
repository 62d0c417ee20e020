"""The names of columns that metrics have under any runner, and what evaluations put there."""

from collections.abc import Collection, Iterable, Sequence

from launch.results import Result

STEP_COLUMNS = ("frames", "updates")
EPISODE_COLUMNS = ("episodes", "success_rate", "episode_return", "episode_length")


def column_name(suite: str) -> str:
    """Of the success rate on a suite; "" is the environment as it is."""
    return f"evaluation/{suite or 'own'}"


def columns_of(suite: str, outcomes: Sequence[str]) -> tuple[str, ...]:
    """The columns of one suite among the metrics of a run: see `rates_of`."""
    column = column_name(suite)
    if "survived" in outcomes:  # which is seldom the aim: what counts is the score
        return column, f"{column}/score"
    return (column, f"{column}/not_lost") if "draw" in outcomes else (column,)


def assessed(suite: str, metrics: Iterable[str]) -> tuple[str, ...]:
    """The columns of what `Agent.assess` finds on a suite."""
    return tuple(f"assessment/{suite or 'own'}/{name}" for name in metrics)


def rates_of(result: Result) -> dict[str, float]:
    """The values of `columns_of`: the share of successes; where games can be drawn, that of games
    not lost too; of a game that is played for its score, the mean return."""
    columns, outcomes = columns_of(result.suite, tuple(result.outcomes)), result.outcomes
    not_lost = (next(iter(outcomes.values())) + outcomes.get("draw", 0)) / result.episodes
    second = result.mean_return if columns[-1].endswith("/score") else not_lost
    return dict(zip(columns, (result.rate, second), strict=False))


def row_of(results: Iterable[Result], columns: Collection[str]) -> dict[str, float]:
    """What a row of metrics that has these columns tells of the results."""
    row = {}
    for result in results:
        found = zip(assessed(result.suite, result.metrics), result.metrics.values(), strict=True)
        row |= rates_of(result) | {name: value for name, value in found if name in columns}
    return row
