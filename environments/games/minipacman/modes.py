"""The five modes, by name: what is rewarded, and when the next level begins (I2A, 1707.06203)."""

from dataclasses import dataclass

MAX_LEVEL = 10  # it is followed by itself


@dataclass(frozen=True)
class Mode:
    """Rewards of what may happen in a step, and the goal of a level."""

    step: float
    food: float
    pill: float
    ghost: float  # eaten
    caught: float
    goal: str  # what is to be eaten up: food, ghosts or pills
    level_steps: int = 0  # after so many steps the next level begins all the same; 0 for never


MODES = {
    "regular": Mode(step=0, food=1, pill=2, ghost=5, caught=0, goal="food"),
    "avoid": Mode(
        step=0.1, food=-0.1, pill=-5, ghost=-10, caught=-20, goal="food", level_steps=128
    ),
    "hunt": Mode(step=0, food=0, pill=1, ghost=10, caught=-20, goal="ghosts", level_steps=80),
    "ambush": Mode(step=0, food=-0.1, pill=0, ghost=10, caught=-20, goal="ghosts", level_steps=80),
    "rush": Mode(step=0, food=-0.1, pill=10, ghost=0, caught=0, goal="pills"),
}
