"""Demonstrations: what is recorded, what a file refuses, and that learning draws from them."""

import itertools
import signal
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import environments
from agents.mlp.config import MLPConfig
from agents.mpo.config import MPOConfig
from environments.embedded.boards.registration import MujoxoOptions
from environments.errors import UserError
from environments.hints.options import HintOptions
from environments.registry import name_of, options_class
from experiments.base import Demonstrations
from launch import loggers, published
from launch.demonstrations import Stream, load, record, save, sequences
from launch.distributed.base import count, item_spec
from tests.launch.commands import SECONDS, moravec, started, wait_for_line

OPTIONS = MujoxoOptions(
    opponent="random", time_limit=5.0, hints=HintOptions("random", kind="target", single=True)
)
PRESS = ("train", "mujoxo_press")
QUICK = (
    *("--agent.batch", "4", "--agent.min-size", "8", "--agent.hidden", "16"),
    *("--runner.log-frames", "500", "--max-frames", "1000", "--evaluation.episodes", "2"),
)


def spec_of(options):
    environment: Any = environments.load(name_of(options), **vars(options))
    with closing(environment):
        return environment.spec


@pytest.fixture(scope="module")
def spec():
    return spec_of(OPTIONS)


def recorded(spec, **options) -> Stream:
    found = record(OPTIONS, spec, **options)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def stream(spec) -> Stream:
    return recorded(spec, episodes=9, seed=0)


@pytest.fixture
def file(tmp_path, stream):
    path = tmp_path / "demonstrations.npz"
    save(path, stream, OPTIONS)
    return path


def test_the_script_presses_what_is_hinted_at(stream, spec):
    assert stream.episodes == 9
    assert stream.observation["hint/present"][stream.is_first].all()
    # Each is won, and a win is worth 1 beside what coming nearer pays (nothing, here).
    assert stream.reward.sum() == pytest.approx(9)
    assert stream.discount[np.flatnonzero(stream.is_last) - 1].sum() == 0
    np.testing.assert_array_equal(np.flatnonzero(stream.is_first)[1:],
                                  np.flatnonzero(stream.is_last)[:-1] + 1)  # fmt: skip
    assert not stream.action[stream.is_last].any()
    for action in stream.action:
        spec.action.validate(action)


def test_recording_again_gives_the_same(stream, spec):
    again = recorded(spec, episodes=9, seed=0)
    np.testing.assert_array_equal(stream.action, again.action)
    assert np.any(recorded(spec, episodes=1, seed=1).action[:5] != stream.action[:5])


@pytest.mark.parametrize("episodes", [0, 3])
def test_recording_can_be_stopped_before_the_first_episode_and_after(spec, episodes):
    asked = itertools.count()
    found = record(OPTIONS, spec, episodes=50, seed=0, stopped=lambda: next(asked) >= episodes)
    assert found is None
    assert next(asked) > episodes


def test_a_file_holds_what_was_recorded(file, stream, spec):
    found = load(file, OPTIONS, spec)
    for name in ("is_first", "is_last", "action", "reward", "discount"):
        np.testing.assert_array_equal(getattr(found, name), getattr(stream, name))
    assert found.observation.keys() == stream.observation.keys()


def test_sequences_are_windows_of_the_stream(stream, spec):
    agent = MPOConfig().make(spec, frames=1)
    items = sequences(stream, item_spec(agent, spec, 10), period=7)
    assert count(items) == len(range(0, len(stream.is_first) - 10, 7))
    np.testing.assert_array_equal(items.unroll.action[3], stream.action[21:31])
    np.testing.assert_array_equal(items.unroll.is_last[3], stream.is_last[21:32])
    assert items.unroll.extras["demonstrated"].all()
    assert items.unroll.extras["demonstrated"].shape == (count(items), 10)


def test_too_few_steps_are_refused(stream, spec):
    agent = MPOConfig().make(spec, frames=1)
    with pytest.raises(UserError, match="have no 5001 steps: record more episodes"):
        sequences(stream, item_spec(agent, spec, 5000), period=10)


def test_an_agent_that_cannot_learn_from_them_is_refused(stream, spec):
    agent = MLPConfig().make(spec, frames=1)
    with pytest.raises(UserError, match="cannot learn from demonstrations: use mpo"):
        sequences(stream, item_spec(agent, spec, 10), period=10)


def test_another_game_is_refused_in_one_line(file):
    other = options_class("mujogo")()
    with pytest.raises(UserError, match=r"of mujoxo \S+, not of mujogo \S+: record") as error:
        load(file, other, spec_of(other))
    assert "\n" not in str(error.value)


def test_another_version_is_refused(file, spec, monkeypatch):
    from launch import demonstrations

    now = demonstrations.entry("mujoxo")
    monkeypatch.setattr(demonstrations, "entry", lambda name: replace(now, version="9.9"))
    with pytest.raises(UserError, match=r"not of mujoxo 9\.9"):
        load(file, OPTIONS, spec)


def test_other_observations_are_refused_by_name(file):
    options = replace(OPTIONS, hints=replace(OPTIONS.hints, kind="action"))
    with pytest.raises(UserError, match=r"hint/target is float32\[3\] there, absent here"):
        load(file, options, spec_of(options))


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_what_is_no_such_file_is_refused(tmp_path, file, spec, content):
    if content is None:
        content = file.read_bytes()[:2000]
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match="holds no demonstrations, or is damaged"):
        load(path, OPTIONS, spec)


def test_a_game_without_a_script_that_wins_is_refused(spec):
    hard = replace(OPTIONS, time_limit=0.2)
    with pytest.raises(UserError, match="won only 0 of 6 episodes, fewer than the 2"):
        record(hard, spec, episodes=2, seed=0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--demonstrations.source", "none.npz"), "there is no file none.npz"),
        (("--demonstrations.source", "scripted", "--demonstrations.fraction", "1"), "below 1"),
        (("--demonstrations.source", "scripted", "--runner.kind", "device"), "local or ray"),
    ],
)
def test_what_cannot_be_is_said_at_once(tmp_path, arguments, said):
    if "none.npz" in arguments:  # looked for when there is a runner for it
        pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")
    done = moravec(*PRESS, "--run-dir", tmp_path / "run", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "run").exists()


def test_every_batch_has_its_part():
    demonstrations = Demonstrations(source="scripted", fraction=0.25)
    assert demonstrations.beside(30) == 10
    assert replace(demonstrations, source="").beside(30) == 0


@pytest.mark.slow
def test_a_run_learns_from_them_and_another_from_its_file(tmp_path):
    pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")
    first, second = tmp_path / "first", tmp_path / "second"
    shown = ("--demonstrations.source", "scripted", "--demonstrations.episodes", "8")
    done = moravec(*PRESS, *QUICK, *shown, "--run-dir", first)
    assert done.returncode == 0, done.stderr
    assert "recording 8 demonstrations" in done.stderr
    rows = loggers.read_csv(first / "metrics.csv")
    assert rows[0]["cloning_loss"] > 0
    file = first / "demonstrations.npz"
    done = moravec(*PRESS, *QUICK, "--demonstrations.source", file, "--run-dir", second)
    assert done.returncode == 0, done.stderr
    assert loggers.read_csv(second / "metrics.csv")[0]["cloning_loss"] > 0
    kept = (second / "demonstrations.npz").read_bytes()
    done = moravec("train", "--resume", second, "--max-frames", "1500")
    assert done.returncode == 0, done.stderr
    assert (second / "demonstrations.npz").read_bytes() == kept


@pytest.mark.slow
def test_a_run_begins_with_the_policy_of_another(tmp_path):
    pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")
    first, second = tmp_path / "first", tmp_path / "second"
    assert moravec(*PRESS, *QUICK, "--run-dir", first).returncode == 0
    still = ("--init-from", first, "--agent.learning-rate", "1e-30", "--seed", "1")
    done = moravec(*PRESS, *QUICK, *still, "--run-dir", second)
    assert done.returncode == 0, done.stderr
    mine, others = (published.load(run / "policy.npz").params for run in (second, first))
    assert mine.keys() == others.keys()
    for name, values in mine.items():
        np.testing.assert_allclose(values, others[name], atol=1e-20)


@pytest.mark.slow
def test_ctrl_c_while_they_are_recorded_stops_a_run_that_can_go_on(tmp_path):
    pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")
    shown = ("--demonstrations.source", "scripted", "--demonstrations.episodes", "2000")
    with started(*PRESS, *QUICK, *shown, "--run-dir", tmp_path / "run") as process:
        wait_for_line(process, "recording 2000 demonstrations")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert "stopped after 0 frames" in said
    assert "--resume" in said.splitlines()[-1]
    assert not (tmp_path / "run" / "demonstrations.npz").exists()
