"""How much a planner imagines: steps of its environment model, for each level that it solves.

The measure of the I2A paper (Racanière, Weber et al. 2017): fewer at an equal solve
rate is better planning.
"""

from launch.rollouts import Episodes


def planning(
    played: Episodes, steps_per_decision: int, thinking_steps: int = 0
) -> dict[str, float]:
    """The steps of the environment model in the episodes; nothing of an agent that takes none.

    Args:
      played: at least one episode; those that are solved have outcome 0.
      steps_per_decision: of the model, whenever the agent acts or thinks.
      thinking_steps: before the first action of an episode.

    Returns:
      `model_steps`: mean of all episodes. `model_steps_per_solved`: those of all episodes, failed
      ones too, over the levels solved. `model_steps_solved`: mean of the solved episodes alone.
      The last two are missing if no level was solved.
    """
    if not steps_per_decision:
        return {}
    steps = steps_per_decision * (played.length + thinking_steps).astype(float)
    solved = played.outcome == 0
    found = {"model_steps": float(steps.mean())}
    if solved.any():
        found["model_steps_per_solved"] = float(steps.sum() / solved.sum())
        found["model_steps_solved"] = float(steps[solved].mean())
    return found
