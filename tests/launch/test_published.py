"""A published policy is plain arrays, replaced whole; a damaged file is told."""

import json
import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

from environments.base import EnvironmentSpec
from environments.errors import UserError
from launch import published

SPEC = EnvironmentSpec(
    observation={
        "planes": specs.Array((6, 6, 4), bool, "planes"),
        "pixels": specs.BoundedArray((6, 6, 3), np.uint8, 0, 255, "pixels"),
    },
    action=specs.DiscreteArray(4, np.int32, "action"),
    outcomes=("solved", "unsolved"),
)


def _params():
    return {
        "net/~/conv": {"w": jax.random.normal(jax.random.key(0), (3, 3)), "b": jnp.zeros(3)},
        "net/head": {"w": jnp.asarray([1.5, -2.25], jnp.bfloat16)},
    }


def test_round_trip(tmp_path):
    path = tmp_path / "policy.npz"
    published.publish(path, _params(), SPEC, 1000)
    found = published.load(path)
    assert found.frames == 1000
    assert found.spec == SPEC
    assert set(found.params) == {"net/~/conv/w", "net/~/conv/b", "net/head/w"}
    assert found.params["net/head/w"].dtype == np.float32
    like = jax.eval_shape(_params)
    params = published.unflatten(found.params, like)
    assert jax.tree.structure(params) == jax.tree.structure(_params())
    for a, b in zip(jax.tree.leaves(params), jax.tree.leaves(_params()), strict=True):
        assert a.dtype == b.dtype
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    assert os.listdir(tmp_path) == ["policy.npz"]


def test_numpy_alone_reads_it(tmp_path):
    published.publish(tmp_path / "policy.npz", _params(), SPEC, 1000)
    with np.load(tmp_path / "policy.npz", allow_pickle=False) as file:
        assert file["net/~/conv/w"].shape == (3, 3)
        assert json.loads(file["about"].tobytes())["spec"]["action"]["num_values"] == 4


def test_continuous_actions(tmp_path):
    action = specs.BoundedArray((2,), np.float32, [-1, -2], [1, 3], "action")
    spec = EnvironmentSpec(
        {"position": specs.Array((3,), np.float32, "position")}, action, ("won",)
    )
    published.publish(tmp_path / "policy.npz", {}, spec, 0)
    found = published.load(tmp_path / "policy.npz").spec
    assert found == spec
    assert isinstance(found.action, specs.BoundedArray)
    np.testing.assert_array_equal(found.action.minimum, [-1, -2])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda arrays: arrays.pop("net/head/w"), r"net/head/w is absent there, \(2,\) here"),
        (lambda arrays: arrays.update(other=np.zeros(3)), r"other is \(3,\) there, absent here"),
        (lambda a: a.update({"net/head/w": np.zeros(5)}), r"is \(5,\) there, \(2,\) here"),
    ],
)
def test_another_network(change, said):
    arrays = published.flatten(_params())
    change(arrays)
    with pytest.raises(UserError, match=said):
        published.unflatten(arrays, _params())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"hello", b"\x93NUMPY", None])
def test_what_is_no_policy(tmp_path, content):
    path = tmp_path / "policy.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f"{path}"):
        published.load(path)


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "policy.npz"
    np.savez(path, about=np.asarray([{"frames": 1}], dtype=object))
    with pytest.raises(UserError, match="is damaged, or is not a policy"):
        published.load(path)


def test_every_byte_counts(tmp_path):
    """A changed or missing byte is either seen, or changes nothing that was published."""
    path = tmp_path / "policy.npz"
    params = {"m": {"w": jnp.asarray([1.0, 2.0])}}
    published.publish(path, params, SPEC, 1000)
    raw = path.read_bytes()
    seen = 0
    for i in range(0, len(raw), 3):
        for damaged in (raw[:i], raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1 :]):
            path.write_bytes(damaged)
            try:
                found = published.load(path)
            except UserError:
                seen += 1
            else:
                assert (found.spec, found.frames) == (SPEC, 1000)
                assert found.params["m/w"].tolist() == [1.0, 2.0]
    assert seen > len(raw) / 3
