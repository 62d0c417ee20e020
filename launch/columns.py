"""The names of columns that metrics have under any runner; loads nothing."""

STEP_COLUMNS = ("frames", "updates")
EPISODE_COLUMNS = ("episodes", "success_rate", "episode_return", "episode_length")


def column_name(suite: str) -> str:
    """Of the success rate on a suite; "" is the environment as it is."""
    return f"evaluation/{suite or 'own'}"
