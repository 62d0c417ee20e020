"""Frames of videos: sizes, and what is written below."""

import numpy as np
import pytest

from launch.frames import Caption, compose, frame_size


@pytest.mark.parametrize("height", [64, 65, 288, 480])
@pytest.mark.parametrize("outcome", ["", "solved"])
def test_frames_have_even_sizes_whatever_they_show(height, outcome):
    scene, board = (np.zeros((height, w, 3), np.uint8) for w in (height * 4 // 3, height))
    scene[:], board[:] = 100, 200
    caption = Caption("mujoban, scripted, level 3", "3.5 s, 35 steps", "return 1.00", outcome, True)
    frame = compose([scene, board], caption)
    assert frame.shape == (*frame_size(height, [scene.shape[1], board.shape[1]]), 3)
    assert frame.shape[0] % 2 == frame.shape[1] % 2 == 0
    assert (frame == 100).all(-1).sum() >= scene.shape[0] * scene.shape[1]
    assert (frame == 200).all(-1).sum() >= board.shape[0] * board.shape[1]
    assert (frame[height + height // 40 :] > 140).any(), "nothing is written"


def test_the_outcome_is_green_if_it_is_good():
    board = np.zeros((200, 200, 3), np.uint8)
    good, bad = (
        compose([board], Caption("t", "p", "s", "over", kind)).astype(int) for kind in (True, False)
    )
    assert ((good[..., 1] > good[..., 0] + 60).any(), (bad[..., 0] > bad[..., 1] + 60).any()) == (
        True,
        True,
    )
