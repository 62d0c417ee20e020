"""How surely and how soon the scripted arm makes the move that it is told to make."""

from collections.abc import Iterator
from dataclasses import dataclass

import dm_env
import numpy as np

from agents.scripted.arm import ArmScript
from environments.embedded.boards.make import make
from environments.embedded.boards.registration import (
    BoardOptions,
    MujogoOptions,
    MujoxoOptions,
    TouchBoardOptions,
)
from environments.embedded.environment import EmbeddedEnvironment
from environments.games.board.game import BoardState
from experiments.benchmarks.base import Measurement

PRESSES = 300
LIMIT = 10.0  # s for a press
GAMES: dict[str, BoardOptions] = {
    "mujoxo": MujoxoOptions(opponent="random"),
    "mujogo": MujogoOptions(opponent="random"),
    "hex 5x5": TouchBoardOptions(opponent="random", game="hex(board_size=5)"),
    "connect_four": TouchBoardOptions(opponent="random", game="connect_four"),
    "othello": TouchBoardOptions(opponent="random", game="othello"),
}


@dataclass(frozen=True)
class Press:
    """One move that was demanded, and the move that was made."""

    demanded: int
    made: int | None  # None if none was made in time
    seconds: float  # of simulated time
    illegal: int  # presses of places that stand for no legal move, meanwhile


def arm() -> list[Measurement]:
    """Presses in each game, the opponent at random: how many were right, and how long they took."""
    found = []
    for title, options in GAMES.items():
        environment = make(options, seed=0)
        pressed = list(presses(environment, ArmScript(environment), PRESSES))
        right = [press for press in pressed if press.made == press.demanded]
        seconds = [press.seconds for press in right]
        found += [
            Measurement(
                "arm", f"{title}: moves made as demanded", len(right), f"of {len(pressed)}"
            ),
            Measurement("arm", f"{title}: mean time of a press", float(np.mean(seconds)), "s"),
            Measurement("arm", f"{title}: longest time of a press", max(seconds), "s"),
        ]
        environment.close()
    return found


def presses(environment: EmbeddedEnvironment, script: ArmScript, count: int) -> Iterator[Press]:
    """Demands `count` moves one after the other, all actions in turn as far as they are legal."""
    rng = np.random.default_rng(0)
    state: BoardState = environment.state
    actions = state.game.num_actions
    queue: list[int] = []
    timestep = environment.reset()
    for _ in range(count):
        queue = queue or rng.permutation(actions).tolist()
        legal = timestep.observation["legal_actions"]
        action = next((action for action in queue if legal[action]), None)
        if action is None:
            action = int(rng.choice(np.flatnonzero(legal)))
        else:
            queue.remove(action)
        press, timestep = _press(environment, script, timestep, action)
        yield press
        if timestep.last() or press.made is None:
            timestep = environment.reset()


def _press(
    environment: EmbeddedEnvironment, script: ArmScript, timestep: dm_env.TimeStep, action: int
) -> tuple[Press, dm_env.TimeStep]:
    before: BoardState = environment.state
    illegal = int(environment.info["illegal_presses"])
    script.demand(action)
    steps, step = 0, environment.simulation.control_step
    while environment.state.history == before.history and steps * step < LIMIT:
        timestep = environment.step(script(timestep))
        steps += 1
        if timestep.last():
            break
    history = environment.state.history
    made = history[len(before.history)] if history != before.history else None
    illegal = int(environment.info["illegal_presses"]) - illegal
    return Press(action, made, steps * step, illegal), timestep
