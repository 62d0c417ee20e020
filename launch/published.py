"""The published policy: `policy.npz`, plain arrays that any version of JAX, or none, can read.

Every parameter is one array, named by its path (`drc/~/cell_0/w`). The array `about` holds, as
JSON in UTF-8, what else is needed to act: the specification of the environment and the frames
learnt from. Nothing is pickled, and no level file is needed.
"""

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from dm_env import specs

from agents.base import Agent, AgentState
from environments.base import EnvironmentSpec
from environments.errors import UserError, reason
from launch import files

_ABOUT = "about"


@dataclass(frozen=True)
class Published:
    """What a `policy.npz` holds."""

    params: dict[str, np.ndarray]  # by path
    spec: EnvironmentSpec
    frames: int  # learnt from


@dataclass(frozen=True)
class InitialParams:
    """Parameters that a run begins with, in place of drawn ones."""

    arrays: dict[str, np.ndarray]  # by path
    # The parts of the parameters, by the first name of their paths, that `arrays` are; all else
    # is drawn. Empty if they are all there is.
    parts: tuple[str, ...] = ()

    def into(self, agent: Agent, state: AgentState) -> AgentState:
        """The new `state` of `agent` with these parameters in place of drawn ones.

        Raises:
          UserError: names or shapes differ: these are another network's parameters.
        """
        if not self.parts:
            return agent.begin_with(state, unflatten(self.arrays, agent.policy_params(state)))
        named, structure = _by_name(state.params)
        parts = {name: leaf for name, leaf in named.items() if name.split("/")[0] in self.parts}
        begun = named | _restored(self.arrays, parts)
        return replace(state, params=jax.tree_util.tree_unflatten(structure, list(begun.values())))

    def check(self, agent: Agent) -> None:
        """Raises UserError if these are another network's parameters."""
        jax.eval_shape(lambda key: self.into(agent, agent.init(key)), jax.random.key(0))


def publish(path: Path, params: Any, spec: EnvironmentSpec, frames: int) -> None:
    """Writes the policy to `path`, replacing the one that is there.

    Args:
      path: of the file.
      params: a pytree of arrays, as `Agent.policy_params` gives; bfloat16 becomes float32.
      spec: of the environment it acts in.
      frames: that it has learnt from.

    Raises:
      UserError: it cannot be written; the one before is untouched.
    """
    arrays = flatten(params)
    about = {"frames": int(frames), "spec": _spec_to_json(spec)}
    raw = np.frombuffer(json.dumps(about).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, **arrays, **{_ABOUT: raw})
    files.atomic_write(path, file.getvalue())


def load(path: Path) -> Published:
    """The policy in `path`. Raises UserError if there is none, or it is damaged."""
    try:
        raw = io.BytesIO(path.read_bytes())
        with np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop(_ABOUT).tobytes())
        return Published(arrays, _spec_from_json(about["spec"]), int(about["frames"]))
    except FileNotFoundError:
        raise UserError(f"there is no policy {path}: none was published yet") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from error
    except Exception as error:  # a changed byte may raise almost anything
        raise UserError(
            f"{path} is damaged, or is not a policy; moravec train --resume writes it again"
        ) from error


def flatten(params: Any) -> dict[str, np.ndarray]:
    """The arrays of a pytree by their paths, on the host; bfloat16 as float32."""
    arrays = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        array = np.asarray(leaf)
        arrays[_name(path)] = array.astype(np.float32) if array.dtype == jnp.bfloat16 else array
    return arrays


def unflatten(arrays: dict[str, np.ndarray], like: Any) -> Any:
    """The pytree that was flattened.

    Args:
      arrays: by path.
      like: the same pytree of arrays or `jax.ShapeDtypeStruct`, which gives structure and dtypes.

    Raises:
      UserError: names or shapes differ: these are another network's parameters.
    """
    expected, structure = _by_name(like)
    return jax.tree_util.tree_unflatten(structure, list(_restored(arrays, expected).values()))


def _by_name(params: Any) -> tuple[dict[str, Any], Any]:
    """The leaves by path, in their order, and the structure."""
    leaves, structure = jax.tree_util.tree_flatten_with_path(params)
    return {_name(path): leaf for path, leaf in leaves}, structure


def _restored(arrays: dict[str, np.ndarray], expected: dict[str, Any]) -> dict[str, jax.Array]:
    """`arrays` in the order and the dtypes of `expected`; UserError if they are not the same."""
    there = {name: array.shape for name, array in arrays.items()}
    here = {name: leaf.shape for name, leaf in expected.items()}
    for name in here | there:
        if here.get(name) != there.get(name):
            raise UserError(
                f"the parameters are another network's: {name} is {there.get(name, 'absent')} "
                f"there, {here.get(name, 'absent')} here"
            )
    return {name: jnp.asarray(arrays[name], leaf.dtype) for name, leaf in expected.items()}


def _name(path: tuple) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")


def _spec_to_json(spec: EnvironmentSpec) -> dict[str, Any]:
    return {
        "observation": {name: _array_to_json(array) for name, array in spec.observation.items()},
        "action": _array_to_json(spec.action),
        "outcomes": list(spec.outcomes),
    }


def _spec_from_json(document: dict[str, Any]) -> EnvironmentSpec:
    observation = {name: _array_from_json(a) for name, a in document["observation"].items()}
    action = _array_from_json(document["action"])
    return EnvironmentSpec(observation, action, tuple(document["outcomes"]))


def _array_to_json(array: specs.Array) -> dict[str, Any]:
    document = {"shape": list(array.shape), "dtype": np.dtype(array.dtype).name, "name": array.name}
    if isinstance(array, specs.DiscreteArray):
        return document | {"num_values": int(array.num_values)}
    if isinstance(array, specs.BoundedArray):
        return document | {"minimum": array.minimum.tolist(), "maximum": array.maximum.tolist()}
    return document


def _array_from_json(document: dict[str, Any]) -> specs.Array:
    fields = dict(document)
    fields["dtype"] = np.dtype(fields["dtype"])
    if "num_values" in fields:
        del fields["shape"]
        return specs.DiscreteArray(**fields)
    fields["shape"] = tuple(fields["shape"])
    return specs.BoundedArray(**fields) if "minimum" in fields else specs.Array(**fields)
