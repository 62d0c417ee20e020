"""What dm_control's viewer does with an environment, but for the window."""

import sys

import numpy as np
import pytest

from environments import load
from environments.embedded.contexts import new_context
from environments.errors import UserError
from environments.viewer import show, viewable
from tests.environments.cases import LEVELS
from tests.environments.pendulum import pendulum

ACTION = np.array([0.7], np.float32)


@pytest.fixture
def runtime():
    from dm_control.viewer import runtime

    return runtime


def test_it_shares_model_and_data():
    environment = pendulum()
    shown = viewable(environment)
    shown.reset()
    simulation = environment.simulation
    assert shown.physics.data.ptr is simulation.data
    assert shown.physics.model.ptr is simulation.model
    shown.step(ACTION)
    assert shown.physics.time() == pytest.approx(simulation.control_step)
    assert shown.physics.named.data.qpos["hinge"][0] == simulation.data.qpos[0]


def test_it_plays_as_it_would_without_a_viewer():
    plain, shown = pendulum(3), viewable(pendulum(3))
    for _ in range(50):
        mine, theirs = plain.step(ACTION), shown.step(ACTION)
        assert mine.step_type == theirs.step_type
        for key, value in mine.observation.items():
            np.testing.assert_array_equal(value, theirs.observation[key])


def test_the_viewers_runtime_plays_whole_episodes(runtime):
    shown = viewable(pendulum(time_limit=0.2))
    swings = []

    def policy(time_step):
        swings.append(time_step.observation["joints_pos"][0])
        return ACTION

    loop = runtime.Runtime(shown, policy)
    errors, begun = [], []
    loop.on_error += errors.append
    loop.on_episode_begin += lambda: begun.append(True)
    loop.tick(0.0, paused=False)
    assert loop.state == runtime.State.RUNNING
    loop.tick(0.1, paused=True)
    assert loop.get_time() == 0
    loop.single_step()
    assert loop.get_time() == pytest.approx(0.02)
    for _ in range(30):
        loop.tick(0.02, paused=False)
    assert loop.state == runtime.State.STOPPED
    loop.restart()
    loop.tick(0.02, paused=False)
    assert loop.state == runtime.State.RUNNING
    assert (errors, len(begun)) == ([], 2)
    assert len(set(swings)) == len(swings) >= 10


def test_the_viewer_is_told_when_an_episode_has_another_model(runtime, tmp_path):
    levels = tmp_path / "levels.txt"
    levels.write_text("; 0\n#######\n#@ $ .#\n#######\n\n; 1\n#######\n#@$. .#\n#  $  #\n#######\n")
    shown = viewable(load("mujoban", levels=str(levels)))
    loop, changes = runtime.Runtime(shown), []
    loop.on_physics_changed += lambda: changes.append(shown.physics.model.nq)
    for _ in range(20):
        loop.restart()
        loop.tick(0.0, paused=False)
        simulation = shown.environment.simulation
        assert shown.physics.model.ptr is simulation.model
        assert shown.physics.data.ptr is simulation.data
    assert set(changes) == {9, 12}


def test_the_viewers_runtime_needs_no_policy(runtime):
    loop = runtime.Runtime(viewable(pendulum()))
    loop.tick(0.0, paused=False)
    loop.tick(0.1, paused=False)
    np.testing.assert_array_equal(loop.last_action, [0])


class Window:
    """What listens to a mouse and a keyboard, both at rest."""

    def __init__(self):
        from dm_control.viewer import util

        self.on_key, self.on_move, self.on_click = (util.QuietSet() for _ in range(3))
        self.on_double_click, self.on_scroll = (util.QuietSet() for _ in range(2))
        self.position = np.zeros(2, int)


def test_the_viewer_draws_it(monkeypatch):
    from dm_control import _render
    from dm_control.viewer import renderer, viewer

    backend, context = new_context()  # whichever there is
    context.free()
    monkeypatch.setenv("MUJOCO_GL", backend)
    shown = viewable(pendulum())
    shown.reset()
    surface = _render.Renderer(max_width=64, max_height=48)
    drawn = renderer.OffScreenRenderer(shown.physics.model, surface)
    window = viewer.Viewer(renderer.Viewport(64, 48), Window(), Window())
    pictures = []
    try:
        window.initialize(shown.physics, drawn, touchpad=False)
        window.zoom_to_scene()
        for _ in range(2):
            with window.perturbation.apply(paused=False):
                shown.step(ACTION)
            window.render()
            pictures.append(drawn.pixels.copy())
            for _ in range(10):
                shown.step(ACTION)
    finally:
        drawn.release()
        surface.free()
    assert pictures[0].shape == (48, 64, 3)
    assert len(np.unique(pictures[0])) > 2
    assert (pictures[0] != pictures[1]).any()


def test_a_symbolic_game_has_nothing_to_show():
    with pytest.raises(UserError, match="only embedded environments"):
        viewable(load("sokoban", levels=str(LEVELS)))


def test_without_a_display_it_says_so(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="needs a display"):
        show("mujoban")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("MUJOCO_GL", "egl")
    with pytest.raises(UserError, match="MUJOCO_GL=glfw"):
        show("mujoban")


def test_it_opens_where_dm_control_was_imported_without_a_renderer(monkeypatch):
    from dm_control import _render, viewer

    shown = []
    monkeypatch.setattr(_render, "BACKEND", "off")  # as worlds that draw nothing import it
    monkeypatch.setattr(viewer, "launch", lambda *window: shown.append(window))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    show("mujoban", levels=str(LEVELS))
    ((environment, policy, title),) = shown
    assert environment.reset().first()
    assert (policy, title) == (None, "Moravec: mujoban")
