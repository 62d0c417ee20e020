"""Plays episodes of one environment and makes a video of them."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from environments.embedded.environment import EmbeddedEnvironment
from environments.errors import PhysicsError
from environments.registry import EnvironmentOptions, build
from launch.episodes import Policy, own_reward
from launch.studio import Episode, Studio
from launch.video import Video

if TYPE_CHECKING:
    from launch.imagination import Imagination

MakePolicy = Callable[[Any], Policy]  # (environment) -> who plays in it
_EMBEDDED_FPS, _SYMBOLIC_FPS = 20.0, 4.0
_HOLD = 1.0  # seconds that the first and the last picture of an episode stay
_REPORT_SECONDS = 5.0


def record(
    options: EnvironmentOptions,
    make_policy: MakePolicy,
    out: Path,
    *,
    title: str,
    episodes: int = 1,
    seed: int = 0,
    fps: float = 0.0,
    size: int = 480,
    seconds: float = 60.0,
    imagination: "Imagination | None" = None,
) -> list[Episode]:
    """Plays the first levels in order and writes a video of them to `out`.

    Says on standard error how far it is, on standard output how each episode went and where the
    video lies.

    Args:
      options: of the environment.
      make_policy: makes who plays.
      out: the video, a name that ends in one of `video.SUFFIXES`.
      title: what is written below the pictures.
      episodes: how many; after the last level comes the first again.
      seed: decides what is random in the environment.
      fps: environment steps in a second of video; 0 for a rate that suits the game.
      size: height of scene and board, pixels.
      seconds: of video after which an episode is left.
      imagination: shown beside the board.

    Raises:
      UserError: the video cannot be written, or this machine cannot render.
    """
    environment = build(options, seed=seed)
    try:
        embedded = isinstance(environment, EmbeddedEnvironment)
        fps = fps or (_EMBEDDED_FPS if embedded else _SYMBOLIC_FPS)
        studio = Studio(environment, title, size, imagination)
        levels = [number % environment.num_levels for number in range(episodes)]
        policy = make_policy(environment)
        with Video(out, studio.size, fps) as video:
            played = [Episode(number + 1, level) for number, level in enumerate(levels)]
            for episode in played:
                _film(environment, policy, episode, studio, video, seconds, imagination)
    finally:
        environment.close()
    for episode in played:
        ended = episode.outcome or f"left after {seconds:g} s of video"
        print(f"{studio.name(episode)}: {ended}, {episode.steps} steps, return {episode.total:.2f}")
    print(f"{out}: {video.frames} pictures, {video.frames / fps:.1f} s")
    return played


def _film(
    environment: Any,
    policy: Policy,
    episode: Episode,
    studio: Studio,
    video: Video,
    seconds: float,
    imagination: "Imagination | None",
) -> None:
    """Plays one episode into `video`; `episode` says afterwards how it went."""
    timestep = environment.reset_to(episode.level)
    studio.begin()
    if imagination is not None:
        imagination.begin(timestep.observation[imagination.key])
    hold = max(1, round(_HOLD * video.fps))
    _hold(video, studio.draw(episode), hold)
    last = time.monotonic()
    while not timestep.last() and episode.steps < seconds * video.fps:
        episode.action = policy(environment, timestep)
        try:
            timestep = environment.step(episode.action)
        except PhysicsError as error:
            episode.outcome = "given up"
            print(f"  {studio.name(episode)}: {error}", file=sys.stderr)
            break
        if imagination is not None:
            imagination.step(episode.action, timestep.observation[imagination.key])
        episode.steps += 1
        episode.total += own_reward(environment, timestep)
        episode.outcome = environment.outcome or ""
        video.write(studio.draw(episode))
        if time.monotonic() - last > _REPORT_SECONDS:
            last = time.monotonic()
            print(f"  {studio.name(episode)}: {episode.steps} steps", file=sys.stderr)
    episode.success = episode.outcome == environment.spec.outcomes[0]
    _hold(video, studio.draw(episode), hold)


def _hold(video: Video, picture: np.ndarray, times: int) -> None:
    for _ in range(times):
        video.write(picture)
