"""For every registered environment, the options and actions with which the tests run it.

A new environment adds its line; the contract tests and the playthroughs then cover it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from environments import entries, load
from environments.base import Environment
from environments.hints.options import HintOptions

LEVELS = Path(__file__).parent / "levels.txt"
MUJOBAN_LEVELS = Path(__file__).parent / "embedded" / "mujoban" / "levels.txt"
SOKOBAN_SYMBOLS = {0: " ", 1: "#", 2: ".", 4: "@", 6: "+", 8: "$", 10: "*"}
PACMAN_MODES = ("avoid", "hunt", "ambush", "rush")  # beside the default
# Food and pill; what stands there hides them: player, both, ghost, edible ghosts.
PACMAN_SYMBOLS = {1: "#"} | {
    2 * under + 8 * over: symbol or " .oo"[under]
    for under in range(4)
    for over, symbol in zip((0, 1, 3, 2, 4, 8, 16, 32), ("", *"@XG1234"), strict=True)
}
STONE_SYMBOLS = {0: " ", 1: ".", 2: "x", 4: "o"}
BOXOBAN = Path(__file__).parents[1] / "data" / "boxoban" / "unfiltered" / "valid"


@dataclass(frozen=True)
class Case:
    """Small options whose episodes end soon, with every key an observation may have."""

    options: dict[str, Any]
    variants: tuple[dict[str, Any], ...] = ()  # further options, for the contract tests
    actions: tuple[Any, ...] = ()  # of the playthrough, numbers or tuples of them; () for none
    # Further playthroughs with the same actions, by a suffix to their names: further options.
    playthroughs: dict[str, dict[str, Any]] = field(default_factory=dict)
    symbols: dict[int, str] = field(default_factory=dict)  # of a cell, by its planes as a number

    def load(self, name: str, *, seed: int = 0, **options: Any) -> Environment:
        return load(name, seed=seed, **{**self.options, **options})


CASES = {
    "sokoban": Case(
        options={
            "levels": str(LEVELS),
            "observations": ("planes", "pixels", "sprites"),
            "time_limit": (5, 8),
        },
        variants=({"noop": True}, {"observations": ("pixels",)}, {"time_limit": (1, 1)}),
        # A box pushed off its target, blocked moves, the time limit; then two levels solved, the
        # first at its last step. The step after each end is the reset.
        actions=(1, 0, 3, 2, 0, 0, 0, 0, 3, 0, 2, 0, 2, 1, 0, 0, 0, 1, 3, 0),
        symbols=SOKOBAN_SYMBOLS,
    ),
    "tic_tac_toe": Case(
        options={"time_limit": 3, "opponent": "mixture(random, optimal, 0.5)"},
        variants=({"begins": "agent", "opponent": "random"}, {"begins": "opponent"}),
        # Games won, lost, lost to an illegal action, and cut off.
        actions=(2, 1, 0, 6, 3, 0, 0, 4, 0, 5, 2, 1, 0),
        symbols=STONE_SYMBOLS,
    ),
    "go": Case(
        options={"size": 5, "komi": 0.5, "time_limit": 6},
        variants=({"opponent": "mcts(simulations=5)"},),
        # A stone is taken, the agent passes; games lost to illegal actions, and one cut off.
        actions=(21, 0, 7, 0, 18, 11, 15, 0, 24, 21, 7, 25, 14, 4, 0),
        symbols=STONE_SYMBOLS,
    ),
    "minipacman": Case(
        options={
            "observations": ("planes", "pixels", "sprites"),
            "time_limit": (10, 16),
            "start_level": (1, 6),
        },
        variants=(
            *({"mode": mode} for mode in PACMAN_MODES),
            {"observations": ("pixels",), "start_level": (1, 1)},
        ),
        # Food, pills and ghosts are eaten, next levels begin; an episode each way to end it.
        actions=tuple(int(digit) for digit in "4433330112000000122441111000022200"),
        playthroughs={f"_{mode}": {"mode": mode} for mode in PACMAN_MODES},
        symbols=PACMAN_SYMBOLS,
    ),
    "mujoban": Case(
        options={
            "levels": str(MUJOBAN_LEVELS),
            "observations": ("proprioception", "planes", "pixels", "position"),
            "time_limit": 2.0,
        },
        variants=(
            {
                "levels": str(BOXOBAN),
                "control_step": 0.02,
                "time_limit": 0.4,
                "top_camera": (16, 24),
                "egocentric_camera": (12, 12),
                "public_names": True,
            },
            {"observations": ("planes",), "pegs": True, "tolerance": 0.1},
            {"hints": HintOptions("solver", "both", reached=1.0, missed=0.5, dropout=0.5)},
            {"hints": HintOptions("solver", "target", shaping=1.0)},
        ),
        # The ball turns, and pushes its box onto the pad; then jumps and rolls until time is up.
        actions=(
            *((0, steer, 0) for steer in (1, 1, -0.6, 1, -0.5, 1, -0.8, 1)),
            *((-1, steer, 0) for steer in (-0.7, 1, -1, 1, -1, 0.9)),
            *((0.5, steer, 0) for steer in (-1, 1)),
            (0, 0, 0),
            *((0.7, 0.1, kick) for kick in (1, 0.5, 0, -1) for _ in range(5)),
            (0, 0, 0),
        ),
        symbols=SOKOBAN_SYMBOLS,
    ),
    "mujoxo": Case(
        options={"time_limit": 2.4},
        variants=(
            {"front_camera": (16, 24), "front_camera_2": (12, 12), "public_names": True},
            {"opponent": "random", "reset_arm_after_move": False},
            {"hints": HintOptions("optimal", "both", shaping=1.0, dropout=0.5)},
            {"task": "win1", "hints": HintOptions("random", "target", single=True)},
        ),
        # Three moves, each from a start pose, that lose; then the time limit.
        actions=(
            *((0, 0.6, -0.6, 0, -0.6, 0, 2, 2, 2) for _ in range(15)),
            *((-0.5, 0.6, 0, -0.4, -0.6, -0.2, 5, 5, 5) for _ in range(15)),
            *((0, 0.6, 0, -0.2, -0.4, -0.1, 5, 5, 5) for _ in range(12)),
            *((0, 0, 0, 0, 0, 0, 0, 0, 0) for _ in range(49)),
        ),
        symbols=STONE_SYMBOLS,
    ),
    "mujogo": Case(
        options={"time_limit": 1.0, "size": 5, "opponent": "mcts(simulations=5)"},
        variants=(
            {"public_names": True, "opponent": "random"},
            {"hints": HintOptions("mcts(simulations=5)", "target", shaping=1.0)},
        ),
    ),
    "touch_board": Case(
        options={"time_limit": 1.8, "opponent": "random", "game": "hex(board_size=2)"},
        variants=({"game": "connect_four"}, {"game": "othello"}),
        # Two moves that win; then the time limit.
        actions=(
            *((0.3, 0.6, -0.6, 0, -0.6, 0.3, 0, 0, 0) for _ in range(16)),
            *((-0.1, 0.6, 0, -0.1, -0.6, -0.2, 0, 0, 0) for _ in range(17)),
            *((0, 0, 0, 0, 0, 0, 0, 0, 0) for _ in range(37)),
        ),
        symbols=STONE_SYMBOLS,
    ),
}

EMBEDDED = tuple(name for name in CASES if "embedded" in entries()[name].tags)
