"""Benchmarks: their figures add up, and each really runs, on little work."""

import subprocess
import sys
import time

import pytest

from agents.drc.config import DRCConfig
from environments.errors import UserError
from experiments.benchmarks import registry
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.timing import interleave

SMALL = "generated:size=6,boxes=1,count=20,seed=0"


def test_ratio_is_value_over_baseline():
    measurement = Measurement("drc", "speed", 6.0, "steps/s", baseline=1.5)
    assert measurement.ratio == 4.0
    assert measurement.to_json() == {
        "name": "drc",
        "metric": "speed",
        "value": 6.0,
        "unit": "steps/s",
        "baseline": 1.5,
        "ratio": 4.0,
    }


def test_no_ratio_without_a_baseline():
    assert Measurement("drc", "speed", 6.0, "steps/s").to_json()["ratio"] is None


def test_registry_loads_no_jax():
    check = (
        "import sys; from experiments.benchmarks import registry; registry.benchmarks();"
        "assert not {'jax', 'numba', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def test_every_benchmark_can_be_imported():
    for benchmark in registry.benchmarks().values():
        module, function = benchmark.path.split(":")
        __import__(module)
        assert callable(getattr(sys.modules[module], function))


def test_unknown_benchmark():
    with pytest.raises(UserError, match=r"no benchmark 'sokban'; did you mean 'sokoban'\?"):
        registry.load("sokban")


def test_programs_take_turns_after_a_round_to_warm_up():
    calls = []
    interleave("x", {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert calls == ["a", "b"] * 3


def test_medians_leave_out_the_warm_up():
    waits = {"slow": iter((0.5, 0.02, 0.3, 0.02)), "busy": iter((0, 0, 0, 0))}

    def busy():
        next(waits["busy"])
        begin = time.process_time()
        while time.process_time() - begin < 0.02:
            pass

    times = interleave(
        "x", {"slow": lambda: time.sleep(next(waits["slow"])), "busy": busy}, rounds=3
    )
    assert 0.02 <= times["slow"].wall < 0.3
    assert times["slow"].cpu < 0.01
    assert 0.02 <= times["busy"].cpu <= times["busy"].wall + 0.01


def test_levels(monkeypatch):
    from experiments.benchmarks.levels import level_times, levels

    monkeypatch.setattr("experiments.benchmarks.levels.COUNT", 5)

    wall, cpu = level_times(6, 1, count=10)
    assert len(wall) == len(cpu) == 10
    assert all(seconds > 0 for seconds in wall)
    found = levels()
    assert {each.name for each in found} == {"levels"}
    assert all(each.value > 0 for each in found)
    medians = {each.metric: each.value for each in found}
    assert medians["6x6, 1 box: median"] < medians["10x10, 4 boxes: median"]


def test_solver(monkeypatch):
    from experiments.benchmarks import solver

    monkeypatch.setattr(solver, "SOURCE", "generated:size=7,boxes=2,count=20,seed=0")
    found = {each.metric: each for each in solver.solver()}
    assert all(each.value > 0 for each in found.values())
    assert found["median CPU"].value <= found["longest CPU"].value
    assert found["two threads, against one"].baseline == found["one thread"].value


@pytest.mark.slow
def test_training():
    from launch.training_benchmark import Size, training

    size = Size(environments=4, matrix=64, products=2, rounds=1)
    config = DRCConfig(unroll_length=3, depth=1, repeats=1, channels=2, hidden=4)
    found = {m.unit: m for m in training("small", config, 0.5, size, levels=SMALL)}
    assert {"s", "frames/s", "CPU-ms/frame", "GFLOP/s", "GFLOP/CPU-s"} == set(found)
    assert found["GFLOP/s"].value == pytest.approx(0.5 * found["frames/s"].value)
    assert found["GFLOP/CPU-s"].value == pytest.approx(500 / found["CPU-ms/frame"].value)
    assert (found["GFLOP/s"].baseline or 0) > 0


@pytest.mark.slow
def test_imagination():
    from agents.i2a.config import I2AConfig
    from launch.imagination_benchmark import imagination
    from launch.training_benchmark import Size

    size = Size(environments=2, matrix=1, products=1, rounds=1)
    config = I2AConfig(unroll_length=2, channels=(2,), hidden=4, encoder_units=4)
    found = imagination("small", config, [(2, "perfect")], size, levels=SMALL)
    assert [m.unit for m in found] == ["ms/frame", "CPU-ms/frame"]
    assert {m.metric for m in found} == {"training with 2 steps of a perfect model, against none"}
    assert all(m.value > 0 and (m.baseline or 0) > 0 for m in found)


@pytest.mark.slow
def test_embedded():
    from experiments.benchmarks.embedded import Size, embedded

    size = Size(
        levels=2, level_steps=2, board_steps=3, camera_steps=2, resets=4, compilations=1,
        vector_steps=8, rounds=1,
    )  # fmt: skip
    found = embedded(size)
    assert all(each.value > 0 for each in found)
    compared = [each for each in found if each.baseline is not None]
    assert {each.unit for each in compared} == {"steps/s", "steps/CPU-s", "CPU-ms"}
    assert len(compared) == 1 + 1 + 4 + 6
    (reset,) = (each for each in compared if each.unit == "CPU-ms")
    assert (reset.ratio or 1) < 0.2
    for title in ("MuJoBan", "MuJoXO", "MuJoGo"):
        assert any(each.metric.startswith(f"{title}: reset") for each in found)


@pytest.mark.usefixtures("pictures")
def test_a_trace_is_replayed_exactly_or_refused():
    import numpy as np

    from experiments.benchmarks.traces import record, replay
    from tests.environments.pendulum import pendulum

    environment = pendulum(time_limit=10.0)
    environment.reset_to(0)
    actions = np.full((6, 1), -0.02, np.float32)
    first = record(environment, actions)
    environment.simulation.data.qvel[:] = 0  # something else than physics
    segments = first + record(environment, actions)
    assert [len(each.controls) for each in segments] == [6, 6]
    replay(segments)()
    replay(segments, ("side", 16))()
    segments[1].start = segments[0].start
    with pytest.raises(RuntimeError, match="plays level 0 otherwise"):
        replay(segments)()


@pytest.mark.slow
def test_minipacman():
    from experiments.benchmarks.minipacman import minipacman

    found = minipacman(mazes=3, steps=4, single_steps=5, rounds=1)
    rates = [each for each in found if each.unit == "steps/CPU-s"]
    assert [each.metric for each in rates] == ["pixels", "planes"]
    assert all(each.value > 0 and (each.ratio or 0) > 0 for each in rates)


@pytest.mark.slow
def test_sokoban():
    pytest.importorskip("jumanji")
    from experiments.benchmarks.sokoban import sokoban

    found = sokoban(boards=8, steps=240, rounds=1, source=_ten_by_ten(8))
    rates = {m.metric: m for m in found if m.unit == "frames/s"}
    assert len(rates) == 4
    theirs = [m.value for name, m in rates.items() if name.startswith("Jumanji")]
    assert all(m.baseline == max(theirs) for m in rates.values())


def _ten_by_ten(count: int) -> str:
    return f"generated:size=10,boxes=4,count={count},seed=0"


def test_sokoban_without_jumanji(monkeypatch):
    from experiments.benchmarks.sokoban import sokoban

    monkeypatch.setitem(sys.modules, "jumanji", None)
    monkeypatch.setitem(sys.modules, "jumanji.environments", None)
    with pytest.raises(UserError, match="uv run --group bench moravec bench sokoban"):
        sokoban()


@pytest.mark.slow
def test_jumanji_plays_the_same_levels_by_the_same_rules():
    """Both pay the same rewards for the same moves, from the same starts, until the first reset."""
    pytest.importorskip("jumanji")
    import jax
    import jax.numpy as jnp
    import numpy as np

    from environments.games.sokoban.batched import BatchedSokoban
    from environments.games.sokoban.registration import SokobanOptions
    from environments.games.sokoban.sources import load_levels
    from experiments.benchmarks.sokoban import import_jumanji, theirs

    levels = load_levels(_ten_by_ten(1))
    clocks = jnp.zeros(16, jnp.int32)
    moves = jax.random.randint(jax.random.key(1), (100, 16), 0, 4)
    ours = BatchedSokoban.from_levels(levels, SokobanOptions())
    state, _ = ours.start(jax.random.key(0), clocks)
    rewards = jax.lax.scan(lambda s, a: _reward(ours.step(s, a)), state, moves)[1]

    program = theirs(import_jumanji(), levels, clocks)["Jumanji vmap(AutoReset)"]
    state, step = program.state, program.step
    order = jnp.array([0, 2, 3, 1])  # from up, down, left, right to up, right, down, left
    others = jax.lax.scan(lambda s, a: _reward(step(s, a)), state, order[moves])[1]
    assert len(np.unique(np.asarray(rewards))) > 1
    np.testing.assert_allclose(rewards, others, atol=1e-6)


def _reward(result):
    return result[0], result[1].reward
