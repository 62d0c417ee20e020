"""Learner processes that learn as one."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from environments.errors import UserError
from experiments.base import Runner
from launch.distributed.packing import pack, packed_size, unpack
from launch.distributed.plan import make_plan
from tests.launch.addresses import answers, own_address
from tests.launch.distributed import harness
from tests.launch.distributed.test_learner import compiled_learner, unroll_of_play
from tests.marks import first_slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def start(folder: Path, devices: int, *membership: object) -> subprocess.Popen:
    arguments = "-m", "tests.launch.distributed.member", folder, *membership
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=Path(__file__).parents[3],
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
            "JAX_PLATFORMS": "cpu",
        },
    )


def finish(*processes: subprocess.Popen) -> None:
    try:
        for process in processes:
            _, said = process.communicate(timeout=200)
            assert process.returncode == 0, said
    finally:
        for process in processes:
            process.kill()
            process.communicate()  # closes what it said


@pytest.mark.slow
def test_two_processes_learn_as_one_does(tmp_path):
    _, _, unroll = unroll_of_play()
    for number in range(3):
        batch = replace(unroll, reward=unroll.reward + number)
        np.save(tmp_path / f"batch{number}.npy", pack(batch))
    address = f"127.0.0.1:{free_port()}"
    finish(*(start(tmp_path, 2, address, 2, process) for process in range(2)))
    finish(start(tmp_path, 1))
    alone, leader, follower = (
        dict(np.load(tmp_path / name)) for name in ("0-of-1.npz", "0-of-2.npz", "1-of-2.npz")
    )
    assert leader.keys() == alone.keys() > follower.keys()
    for name, value in alone.items():
        np.testing.assert_allclose(leader[name], value, atol=1e-6, rtol=1e-6, err_msg=name)
    for name, value in follower.items():
        assert np.array_equal(leader[name], value), name
    assert len(follower) > 10


WAITS = """
import sys
from jax.experimental.multihost_utils import broadcast_one_to_all
from launch.distributed.learner_group import Membership, join
join(Membership(sys.argv[1], 2, int(sys.argv[2])))
print("joined", flush=True)
if sys.argv[2] == "0":
    sys.stdin.read()
broadcast_one_to_all(0)
"""


@pytest.mark.parametrize("number", first_slow([signal.SIGKILL, signal.SIGSTOP]))
def test_nobody_waits_for_the_dead(number):
    address = f"127.0.0.1:{free_port()}"
    leader, follower = (
        subprocess.Popen(
            [sys.executable, "-c", WAITS, address, str(process)],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for process in range(2)
    )
    try:
        for process in leader, follower:
            assert process.stdout is not None
            assert process.stdout.readline() == "joined\n"
        leader.send_signal(number)
        assert follower.wait(timeout=200) != 0
    finally:
        for process in leader, follower:
            process.kill()
            process.communicate()


def test_packing_keeps_every_bit():
    _, _, unroll = unroll_of_play()
    learner = compiled_learner()
    state = learner.init(jax.random.key(7))
    batch = jax.device_get(unroll)
    for tree in (state, batch):
        shapes = jax.eval_shape(lambda tree=tree: tree)
        packed = pack(tree)
        assert packed.dtype == np.uint8
        assert len(packed) == packed_size(shapes) > 100
        found = unpack(packed, shapes)
        assert jax.tree.structure(found) == jax.tree.structure(tree)
        assert jax.eval_shape(lambda found=found: found) == shapes
        assert pack(found).tobytes() == packed.tobytes()
    for there, here in zip(jax.tree.leaves(found), jax.tree.leaves(batch), strict=True):
        assert np.array_equal(there, here)


def test_learners_must_share_an_update_evenly():
    assert make_plan(replace(harness.EXPERIMENT, runner=Runner(kind="ray", learners=3)))
    with pytest.raises(UserError, match="6 unrolls cannot be split over 4 devices"):
        make_plan(replace(harness.EXPERIMENT, runner=Runner(kind="ray", learners=4)))


@pytest.mark.parametrize("kind", ["device", "local"])
def test_only_ray_has_several_learners(kind):
    with pytest.raises(UserError, match=r"runner\.learners above 1 needs runner\.kind=ray"):
        Runner(kind=kind, learners=2)


@pytest.mark.slow
@pytest.mark.parametrize("alone", [True, False])
def test_where_a_group_meets(alone):
    other = own_address()
    port = free_port()
    members = [
        subprocess.Popen(
            [sys.executable, "-c", WAITS, f"{'127.0.0.1' if alone else other}:{port}", str(number)],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for number in range(2)
    ]
    try:
        for member in members:
            assert member.stdout is not None
            assert member.stdout.readline() == "joined\n"
        assert answers("127.0.0.1", port)
        assert answers(other, port) != alone
    finally:
        for member in members:
            member.kill()
            member.communicate()
