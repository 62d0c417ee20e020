"""`moravec watch`: a video of who is at play, the scene and the abstract board side by side."""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from environments.errors import UserError
from environments.registry import EnvironmentOptions, name_of
from launch import run_folder
from launch.environment_arguments import BASELINES, player_of
from launch.pretrained import folder, is_pretrained
from launch.suite_options import on_boards_of, on_suite, suites_of, told

if TYPE_CHECKING:
    from launch.imagination import Imagination
    from launch.recording import MakePolicy

_LEVELS = "generated:size=7,boxes=2,count=20,seed=0"  # of a baseline that is given none


@dataclass(frozen=True)
class Arguments:
    """Play some episodes, greedily, and make a video of them."""

    # A run folder or pretrained:NAME, or another who plays: random, scripted or solver.
    run: tyro.conf.Positional[str]
    # Options of the environment; --environment NAME chooses it, for who is no run.
    environment: EnvironmentOptions
    # A suite (see moravec list) or level source, of which the first levels are played; in a
    # two-player game the opponent.
    suite: str = ""
    # How many episodes.
    episodes: int = 1
    # Decides what is random in policy or environment.
    seed: int = 0
    # The video, FILE.mp4 or FILE.gif; by default an MP4 in RUN/videos or ./videos.
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    # Environment steps in a second of video; 0 for 20 in an embedded game, 4 in a symbolic one.
    fps: float = 0.0
    # Height in pixels of scene and board; 0 for 480, or 288 in a GIF.
    size: int = 0
    # Seconds of video after which an episode is left.
    seconds: float = 60.0

    def __post_init__(self):
        for name, low, high in (
            ("episodes", 1, 10_000),
            ("seed", 0, 2**32 - 1),
            ("fps", 0, 100),
            ("size", 0, 2160),
            ("seconds", 1, 3600),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"--{name} must be from {low} to {high}, not {value:g}")
        if 0 < self.size < 64:
            raise UserError(f"--size must be at least 64 pixels, not {self.size}")
        if 0 < self.fps < 0.1:
            raise UserError(f"--fps must be at least 0.1, not {self.fps:g}")


def main(args: list[str]) -> int:
    """Runs `moravec watch ARGS`. A user's mistake raises UserError."""
    arguments = parse(args)
    out = arguments.out or _default_out(arguments)
    from launch import clips, recording, video

    video.check_target(out)  # before the long part
    options, player, imagination = _player(arguments)
    kept = out.parent == run_folder.RunFolder(Path(arguments.run)).videos
    if kept:
        clips.forget(out)
    played = recording.record(
        options,
        player,
        out,
        title=f"{name_of(options)}, {Path(arguments.run).name}",
        episodes=arguments.episodes,
        seed=arguments.seed,
        fps=arguments.fps,
        size=arguments.size or (288 if out.suffix.lower() == ".gif" else 480),
        seconds=arguments.seconds,
        imagination=imagination,
    )
    if kept:
        outcomes, successes = zip(*((each.outcome, each.success) for each in played), strict=True)
        clips.write(clips.Clip(out, outcomes, successes, imagined=imagination is not None))
    return 0


def parse(args: list[str]) -> Arguments:
    """What the arguments ask for. Raises UserError, or exits with 2, if they are wrong."""
    run, options, rest = player_of(args)
    default = Arguments(run, options)
    return tyro.cli(Arguments, prog="moravec watch", args=rest, default=default)


def _default_out(arguments: Arguments) -> Path:
    name = name_of(arguments.environment)
    slug = re.sub(r"[^A-Za-z0-9]+", "-", arguments.suite).strip("-")
    if arguments.run in BASELINES:
        return Path("videos") / f"{name}_{arguments.run}.mp4"
    if is_pretrained(arguments.run):
        return Path("videos") / f"{folder(arguments.run).name}{slug and '_'}{slug}.mp4"
    return run_folder.RunFolder(Path(arguments.run)).videos / f"{slug or name}.mp4"


def _player(
    arguments: Arguments,
) -> "tuple[EnvironmentOptions, MakePolicy, Imagination | None]":
    """The environment's options, its levels chosen, what makes who plays in it, and its model."""
    from launch import baselines

    options = arguments.environment
    if arguments.run in BASELINES:
        makers: dict[str, MakePolicy] = {
            "random": lambda e: baselines.random_policy(e.action_spec(), arguments.seed),
            "scripted": baselines.scripted_policy,
            "solver": baselines.solver_policy,
        }
        default = getattr(type(options), "levels", None)
        unchosen = default is not None and getattr(options, "levels", None) == default
        suite = arguments.suite or (_LEVELS if unchosen else "")
        return on_suite(options, suite), makers[arguments.run], None
    from launch.imagination import Imagination, has_model
    from launch.policy import load_policy

    policy = load_policy(arguments.run)
    suites = suites_of(policy.experiment, options)
    options = told(on_suite(options, arguments.suite or (suites[0] if suites else "")))
    options = on_boards_of(options, policy.spec)
    # A model learner plays as it does to gather data: half at random, it shows more of the model.
    seed = arguments.seed if policy.agent.assess else None
    imagination = Imagination(policy) if has_model(policy) else None
    return options, partial(baselines.trained_policy, policy=policy, seed=seed), imagination
