"""A learner process of a test: `python -m tests.launch.distributed.member FOLDER [MEMBERSHIP]`.

It learns from the batches in the folder, alone or as a member of a group (address, processes,
process), and leaves there what it has come to.
"""

import sys
from pathlib import Path

import jax
import numpy as np

from environments.registry import load_batched
from launch import checkpoints
from launch.distributed.base import Item, item_spec
from launch.distributed.learner import batch_shapes, round_items
from launch.distributed.learner_group import Membership, follow, join, make_learner
from launch.distributed.packing import pack, unpack
from tests.launch.distributed.test_learner import CONFIG, LEVELS


def lead(agent, item: Item, folder: Path) -> tuple:
    """The last state and metrics; a checkpoint of the state was written and restored."""
    learner = make_learner(agent, item)
    batch = batch_shapes(item, round_items(agent))
    state, metrics = learner.begin(learner.init(jax.random.key(0))), {}
    for path in sorted(folder.glob("batch*.npy")):
        unroll = learner.put(unpack(np.load(path), batch))
        state, metrics = learner.update(state, unroll)
    where = folder / f"checkpoints{jax.process_count()}"
    checkpoints.save(where, 1, state, identity={})
    restored = checkpoints.restore(where, learner.shapes(), identity={}).state
    assert pack(restored).tobytes() == pack(state).tobytes()
    learner.end()
    return state, metrics


def main(folder: Path, address: str = "", processes: str = "1", process: str = "0") -> None:
    """Learns."""
    if address:
        join(Membership(address, int(processes), int(process)))
    assert jax.device_count() == jax.local_device_count() * int(processes)
    environment = load_batched("sokoban", levels=LEVELS, time_limit=(4, 6))
    agent = CONFIG.make(environment.spec, 1000)
    item = item_spec(agent, environment.spec, CONFIG.unroll_length)
    if process == "0":
        state, metrics = lead(agent, item, folder)
    else:
        state, metrics = follow(agent, item), {}
    leaves = jax.tree_util.tree_leaves_with_path((state.agent, metrics))
    named = {
        jax.tree_util.keystr(path).replace("/", "|"): np.asarray(leaf) for path, leaf in leaves
    }
    np.savez(folder / f"{process}-of-{processes}.npz", **named)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
