"""Evaluation in single environments, several at once in threads: embedded games, scripts."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import dm_env
import numpy as np

from environments.games.sokoban import rules as sokoban
from environments.games.sokoban.registration import SokobanOptions
from environments.registry import EnvironmentOptions, entry, name_of
from environments.vector.seeds import world_seed
from launch.episodes import COUNTED, Policy, play_episodes
from launch.evaluation import GAMES, summary
from launch.optimality import optimality
from launch.platforms import cores
from launch.policy import Policy as TrainedPolicy
from launch.results import Result
from launch.rollouts import Episodes
from launch.suite_options import has_level_sets, on_suite, told

# Fixed, so that results do not depend on the machine: world i plays levels i, i + WORLDS, ...
WORLDS = 8
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entrant:
    """Who plays in single environments."""

    run: str  # the run folder, or the name of a baseline
    frames: int  # learnt from
    make: Callable[[Any, int], Policy]  # (environment, seed) -> who plays in it


@dataclass
class _Walk:
    """The moves between cells in one episode of a Sokoban, symbolic or embedded."""

    start: sokoban.State
    cell: tuple[int, int]
    moves: int = 0


@dataclass
class _World:
    """One environment, who plays in it, and what became of its episodes."""

    environment: Any
    policy: Policy
    levels: Sequence[int]
    walks: list[_Walk] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # of all its episodes

    def play(self, stop: threading.Event, report) -> Episodes:
        """Plays its levels; ends early, with RuntimeError, once `stop` is set."""

        def observe(environment: Any, timestep: dm_env.TimeStep) -> None:
            if stop.is_set():
                raise RuntimeError("the evaluation was given up")
            self._follow(environment.state, timestep)
            if timestep.last():
                self._count(getattr(environment, "info", {}))

        return play_episodes(
            self.policy, self.environment, self.levels, observe=observe, report=report
        )

    def _count(self, info: Mapping[str, Any]) -> None:
        for name in COUNTED:
            if name in info:
                self.counts[name] += int(info[name])

    def _follow(self, state: Any, timestep: dm_env.TimeStep) -> None:
        if not isinstance(state, sokoban.State):
            return
        if timestep.first():
            self.walks.append(_Walk(state, state.player))
        walk = self.walks[-1]
        walk.moves += sum(abs(a - b) for a, b in zip(state.player, walk.cell, strict=True))
        walk.cell = state.player


def evaluate_policy(
    run: str,
    policy: TrainedPolicy,
    suite: str,
    *,
    episodes: int = 0,
    thinking_steps: int = 0,
    seed: int = 0,
    report: Callable[[int], None] = lambda played: None,
    check: Callable[[], None] = lambda: None,
) -> Result:
    """What `evaluate_worlds` finds of a trained policy in its own environment; of a model learner,
    also what it predicts there. `check` is called between steps of the latter."""
    from launch.baselines import trained_policy
    from launch.world_assessment import assess_worlds

    options = policy.experiment.environment
    entrant = Entrant(run, policy.frames, lambda e, _: trained_policy(e, policy, thinking_steps))
    result = evaluate_worlds(
        *(entrant, options, suite),
        episodes=episodes,
        thinking_steps=thinking_steps,
        seed=seed,
        report=report,
    )
    assessment = assess_worlds(
        *(policy.agent, policy.params, options, suite),
        episodes=result.episodes,
        seed=seed,
        check=check,
    )
    return replace(result, metrics=result.metrics | assessment)


def evaluate_worlds(
    entrant: Entrant,
    options: EnvironmentOptions,
    suite: str,
    *,
    episodes: int = 0,
    thinking_steps: int = 0,
    seed: int = 0,
    report: Callable[[int], None] = lambda played: None,
) -> Result:
    """Plays the first `episodes` levels of `suite`, or all of them if it is 0.

    A warning says in how many games the opponent failed, if in any.

    Args:
      entrant: who plays.
      options: of the environment.
      suite: a suite or level source; of a two-player game, the opponent; "" for the options'.
      episodes: how many; 200, if it is 0, of a game without level sets.
      thinking_steps: what is said of them in the result.
      seed: decides what is random in the environment or the player.
      report: told how many episodes were played, now and then.

    Raises:
      UserError: the suite does not fit the game, or who plays cannot play it.
    """
    options = told(on_suite(options, suite))
    build = entry(name_of(options)).single
    environments = []
    try:
        environments.append(build(options, seed=world_seed(seed, 0)))
        levels = environments[0].num_levels
        sets = has_level_sets(options)
        episodes = (min(episodes, levels) or levels) if sets else episodes or GAMES
        others = range(1, min(WORLDS, episodes))
        environments += [build(options, seed=world_seed(seed, i)) for i in others]
        worlds = [
            _World(environment, entrant.make(environment, world_seed(seed, i)),
                   [number % levels for number in range(i, episodes, WORLDS)])
            for i, environment in enumerate(environments)
        ]  # fmt: skip
        names = environments[0].spec.outcomes
        played = _play(worlds, report)
    finally:
        for environment in environments:
            environment.close()
    result = summary(
        played,
        names,
        options,
        run=entrant.run,
        frames=entrant.frames,
        suite=suite,
        seed=seed,
        thinking_steps=thinking_steps,
    )
    walks = _interleaved([world.walks for world in worlds])
    counts: Counter[str] = Counter()
    for world in worlds:
        counts.update(world.counts)  # a sum would leave out what is 0
    if failed := counts["opponent_failed"]:
        _log.warning("the opponent failed in %d of %d games: they are unfinished", failed, episodes)
    embedded = not isinstance(options, SokobanOptions)
    metrics = (
        result.metrics | _counted(counts, episodes) | _compared(walks, played, embedded=embedded)
    )
    return replace(result, metrics=metrics)


def _play(worlds: list[_World], report: Callable[[int], None]) -> Episodes:
    """All episodes of all worlds, in the order of the levels."""
    counts, stop = [0] * len(worlds), threading.Event()

    def counter(i: int) -> Callable[[int], None]:
        return lambda played: counts.__setitem__(i, played)

    with ThreadPoolExecutor(max_workers=cores()) as pool:
        waiting = [pool.submit(world.play, stop, counter(i)) for i, world in enumerate(worlds)]
        try:
            while not all(future.done() for future in waiting):
                time.sleep(0.05)
                report(sum(counts))
                for future in waiting:
                    if future.done():
                        future.result()  # what went wrong in one ends them all
            parts = [future.result() for future in waiting]
        except BaseException:
            stop.set()
            raise
    report(sum(counts))
    return Episodes(
        outcome=np.array(_interleaved([part.outcome for part in parts]), np.int32),
        episode_return=np.array(_interleaved([part.episode_return for part in parts]), np.float32),
        length=np.array(_interleaved([part.length for part in parts]), np.int32),
    )


def _counted(counts: Mapping[str, int], episodes: int) -> dict[str, float]:
    """The share of hints that were followed and, in an episode, illegal presses and failures."""
    found = {}
    if given := counts.get("hints_given"):
        found["hints_reached"] = counts["hints_reached"] / given
    if "illegal_presses" in counts:
        found["illegal_presses"] = counts["illegal_presses"] / episodes
    if "opponent_failed" in counts:
        found["opponent_failed"] = counts["opponent_failed"] / episodes
    return found


def _interleaved(parts: Sequence[Any]) -> list[Any]:
    """The first of each part, then the second of each, and so on."""
    longest = max(len(part) for part in parts)
    return [part[i] for i in range(longest) for part in parts if i < len(part)]


def _compared(walks: list[_Walk], played: Episodes, *, embedded: bool) -> dict[str, float]:
    """How near the solved levels of a Sokoban came to the fewest moves.

    Moves are steps of the environment, or, if it is embedded, those from cell to cell.
    """
    solved = np.flatnonzero(played.outcome == 0)
    if not walks or not len(solved):
        return {}
    moves = [walks[i].moves if embedded else int(played.length[i]) for i in solved]
    mean = {"mean_moves_solved": float(np.mean(moves))} if embedded else {}
    return mean | optimality([walks[i].start.level for i in solved], moves)
