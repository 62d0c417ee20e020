"""Checkpoints come back bit by bit; damage falls back; a full disk and other agents are told."""

import json
import resource
import shutil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from agents.base import AgentState
from environments.errors import UserError
from launch import checkpoints

IDENTITY = {"agent": "drc", "environment": "sokoban 1"}


def _state(seed: int = 0):
    """All that a training state may hold: keys, scalars, odd dtypes, optimizer tuples."""
    params = {"net/~/conv": {"w": jax.random.normal(jax.random.key(seed), (3, 3, 4, 8))}}
    learner = AgentState(
        params=params,
        optimizer=optax.adam(1e-3).init(params),
        frames=jnp.uint32(4_000_000_000),
        updates=jnp.uint32(seed),
    )
    return {
        "learner": learner,
        "keys": jax.random.split(jax.random.key(seed + 1), 3),
        "half": jnp.asarray([1.0, 3.14159, -0.0, jnp.nan], jnp.bfloat16),
        "flags": jnp.asarray([True, False]),
        "bytes": jnp.arange(200, dtype=jnp.uint8),
        "nothing": jnp.zeros((0, 4)),
        "host": np.arange(3, dtype=np.int64) + 2**40,
        "core": (),
    }


def _bits(leaf) -> bytes:
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf).tobytes()


def _assert_same(got, expected):
    assert jax.tree.structure(got) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert _bits(a) == _bits(b)
        assert isinstance(a, np.ndarray) == isinstance(b, np.ndarray)


def _save(folder: Path, step: int, **options):
    checkpoints.save(folder, step, _state(step), identity=IDENTITY, **options)


def _restore(folder: Path):
    return checkpoints.restore(folder, _state(), identity=IDENTITY)


def test_everything_comes_back_bit_by_bit(tmp_path):
    extra = {"position": {"metrics.csv": 120}, "seconds": 0.1}
    _save(tmp_path, 7, extra=extra)
    like = jax.eval_shape(lambda: {k: v for k, v in _state(7).items() if k != "host"})
    like["host"] = np.zeros(3, np.int64)
    got = checkpoints.restore(tmp_path, like, identity=IDENTITY)
    assert (got.step, got.extra) == (7, extra)
    _assert_same(got.state, _state(7))
    key = got.state["keys"][0]
    assert jax.random.uniform(key) == jax.random.uniform(_state(7)["keys"][0])


def test_keeps_the_newest(tmp_path):
    for step in (1, 2, 3, 10):
        _save(tmp_path, step, keep=2)
    assert checkpoints.steps(tmp_path) == [3, 10]
    assert _restore(tmp_path).step == 10


def _empty_step(path: Path):
    shutil.rmtree(path)
    path.mkdir()


def _largest_array_file(path: Path) -> Path:
    files = [f for f in (path / "arrays").rglob("*") if f.is_file()]
    return max(files, key=lambda f: f.stat().st_size)


def _change_byte(file: Path):
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)


DAMAGE = {
    "empty step folder": _empty_step,
    "no manifest": lambda path: (path / "manifest.json").unlink(),
    "truncated manifest": lambda path: (path / "manifest.json").write_text('{"contents.js'),
    "binary manifest": lambda path: (path / "manifest.json").write_bytes(b"\xff\xfe\x00"),
    "foreign manifest": lambda path: (path / "manifest.json").write_text("{}"),
    "changed byte in contents": lambda path: _change_byte(path / "contents.json"),
    "changed byte in an array": lambda path: _change_byte(_largest_array_file(path)),
    "missing array file": lambda path: _largest_array_file(path).unlink(),
    "truncated array file": lambda path: _largest_array_file(path).write_bytes(b"OCDB"),
    "missing arrays": lambda path: shutil.rmtree(path / "arrays"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_falls_back_to_the_one_before(tmp_path, caplog, damage):
    _save(tmp_path, 1)
    _save(tmp_path, 2)
    DAMAGE[damage](tmp_path / "2")
    got = _restore(tmp_path)
    assert got.step == 1
    _assert_same(got.state, _state(1))
    (record,) = caplog.records
    assert str(tmp_path / "2") in record.message
    assert "\n" not in record.message


def test_every_byte_of_the_small_files_counts(tmp_path):
    """A changed byte anywhere but in an array is either seen or changes nothing."""
    checkpoints.save(tmp_path, 1, {}, identity=IDENTITY, extra={"seconds": 1.5})
    for name in ("contents.json", "manifest.json"):
        file = tmp_path / "1" / name
        raw = file.read_bytes()
        for i in range(len(raw)):
            file.write_bytes(raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1 :])
            try:
                got = checkpoints.restore(tmp_path, {}, identity=IDENTITY)
            except UserError as error:
                seen = "damaged" in str(error)
            else:
                seen = name == "manifest.json" and got.extra == {"seconds": 1.5}
            assert seen, (name, i)
        file.write_bytes(raw)


def test_a_damaged_checkpoint_is_replaced_and_later_ones_go(tmp_path):
    for step in (1, 2, 3):
        _save(tmp_path, step)
    _empty_step(tmp_path / "2")
    _empty_step(tmp_path / "3")
    assert _restore(tmp_path).step == 1
    _save(tmp_path, 2)
    assert checkpoints.steps(tmp_path) == [1, 2]
    assert _restore(tmp_path).step == 2


def test_none_left(tmp_path):
    with pytest.raises(UserError, match="there is no checkpoint in"):
        _restore(tmp_path / "missing")
    _save(tmp_path, 1)
    _empty_step(tmp_path / "1")
    with pytest.raises(UserError, match="every checkpoint is damaged"):
        _restore(tmp_path)


def test_leftovers_of_a_killed_save_are_not_a_checkpoint(tmp_path):
    _save(tmp_path, 1)
    shutil.copytree(tmp_path / "1", tmp_path / ".2.7.tmp")
    (tmp_path / ".2.7.tmp" / "manifest.json").unlink()
    assert _restore(tmp_path).step == 1
    _save(tmp_path, 3)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["1", "3"]


@pytest.mark.parametrize(
    ("identity", "change", "said"),
    [
        ({**IDENTITY, "agent": "cnn"}, {}, "agent is drc there, cnn here"),
        ({**IDENTITY, "environment": "sokoban 2"}, {}, "environment is sokoban 1 there"),
        (IDENTITY, {"flags": jnp.zeros(3, bool)}, r"bool\[2\] there, bool\[3\] here"),
        (IDENTITY, {"flags": jnp.zeros(2)}, r"bool\[2\] there, float32\[2\] here"),
        (IDENTITY, {"new": jnp.zeros(2)}, r"\['new'\] is absent there, float32\[2\] here"),
        (IDENTITY, {"keys": jax.random.key_data(_state()["keys"])}, "key<fry>"),
    ],
)
def test_another_agent_or_version_is_told(tmp_path, capfd, identity, change, said):
    _save(tmp_path, 1)
    with pytest.raises(UserError, match=said) as caught:
        checkpoints.restore(tmp_path, _state() | change, identity=identity)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert capfd.readouterr() == ("", "")


def test_another_format_is_told(tmp_path, monkeypatch):
    _save(tmp_path, 1)
    monkeypatch.setattr(checkpoints, "_FORMAT", 2)
    with pytest.raises(UserError, match="checkpoint format is 1 there, 2 here"):
        _restore(tmp_path)


def test_a_save_that_fails_loses_nothing(tmp_path, capfd):
    _save(tmp_path, 1)
    big = {"a": jax.random.normal(jax.random.key(0), (200_000,))}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(UserError, match=r"cannot write .*2: file too large"):
            checkpoints.save(tmp_path, 2, big, identity=IDENTITY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]
    assert capfd.readouterr().err == ""
    _assert_same(_restore(tmp_path).state, _state(1))


@pytest.mark.parametrize("described", [False, True])
def test_sharded_arrays_come_back_where_they_were(tmp_path, described):
    mesh = Mesh(np.array(jax.devices()), ("data",))
    assert mesh.size == 4
    split, whole = NamedSharding(mesh, P("data")), NamedSharding(mesh, P())
    state = {
        "batch": jax.device_put(jax.random.normal(jax.random.key(0), (8, 5)), split),
        "params": jax.device_put(jax.random.normal(jax.random.key(1), (3, 3)), whole),
        "keys": jax.device_put(jax.random.split(jax.random.key(2), 8), split),
        "count": jax.device_put(jnp.uint32(5), whole),
    }
    checkpoints.save(tmp_path, 1, state, identity={})
    like: dict[str, Any] = state
    if described:
        like = {
            k: jax.ShapeDtypeStruct(v.shape, v.dtype, sharding=v.sharding) for k, v in state.items()
        }
    got = checkpoints.restore(tmp_path, like, identity={}).state
    _assert_same(got, state)
    for name, leaf in got.items():
        assert leaf.sharding.is_equivalent_to(state[name].sharding, leaf.ndim), name
    # The same checkpoint fits one device.
    like = {k: jax.device_put(v, jax.devices()[2]) for k, v in state.items()}
    got = checkpoints.restore(tmp_path, like, identity={}).state
    _assert_same(got, state)
    assert all(leaf.devices() == {jax.devices()[2]} for leaf in got.values())


def test_contents_name_every_leaf(tmp_path):
    _save(tmp_path, 1)
    contents = json.loads((tmp_path / "1" / "contents.json").read_text())
    leaves = {leaf["path"]: leaf for leaf in contents["leaves"]}
    assert leaves["['learner'].params['net/~/conv']['w']"]["shape"] == [3, 3, 4, 8]
