"""Shows an embedded environment in dm_control's interactive viewer, which needs a display.

from environments.viewer import show

show("mujoban", levels="boxoban:unfiltered/valid")

`viewable` gives what `dm_control.viewer.launch` takes, for those who call it themselves; they set
MUJOCO_GL=glfw before anything is imported.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import dm_env
from dm_env import specs

from environments import registry
from environments.embedded.environment import EmbeddedEnvironment
from environments.errors import UserError

Policy = Callable[[dm_env.TimeStep], Any]  # an action; its `reset`, if any, begins an episode


class Viewable(dm_env.Environment):
    """The environment, with the physics interface that dm_control's viewer draws and measures.

    While the viewer is paused it recomputes what follows from the state; playing on from there
    may differ in the last bits.
    """

    def __init__(self, environment: EmbeddedEnvironment):
        self.environment = environment
        self._physics: Any = None

    @property
    def physics(self) -> Any:
        """A `dm_control.mujoco.Physics` over the model and the data of the present episode.

        Nothing is copied. An episode may come with another model: the viewer notices.
        """
        simulation = self.environment.simulation
        if self._physics is None or self._physics.data.ptr is not simulation.data:
            from dm_control.mujoco import Physics
            from dm_control.mujoco.wrapper import MjData

            state, sensors = simulation.state(), simulation.data.sensordata.copy()
            self._physics = Physics(MjData(simulation.data))
            simulation.restore(state, sensors)  # the line above has run the dynamics
        return self._physics

    def reset(self) -> dm_env.TimeStep:
        return self.environment.reset()

    def step(self, action: Any) -> dm_env.TimeStep:
        return self.environment.step(action)

    def action_spec(self) -> specs.BoundedArray:
        return self.environment.action_spec()

    def observation_spec(self) -> dict[str, specs.Array]:
        return self.environment.observation_spec()

    def reward_spec(self) -> specs.Array:
        return self.environment.reward_spec()

    def discount_spec(self) -> specs.BoundedArray:
        return self.environment.discount_spec()

    def close(self) -> None:
        self.environment.close()


def viewable(environment: dm_env.Environment) -> Viewable:
    """`environment` for `dm_control.viewer.launch`. Raises UserError if it is not embedded."""
    if not isinstance(environment, EmbeddedEnvironment):
        raise UserError("only embedded environments have a scene to show: try mujoban")
    return Viewable(environment)


def show(name: str, *, seed: int = 0, policy: Policy | None = None, **options: Any) -> None:
    """Opens a window on an environment by name, until it is closed.

    Without a policy all actuators rest. Raises UserError if there is no display, or if something
    has been imported that renders without one.
    """
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        raise UserError("the viewer needs a display: make videos with moravec watch instead")
    if os.environ.setdefault("MUJOCO_GL", "glfw") != "glfw" or _other_backend():
        raise UserError("the viewer needs a window: set MUJOCO_GL=glfw before starting Python")
    from dm_control import viewer

    viewer.launch(viewable(registry.load(name, seed=seed, **options)), policy, f"Moravec: {name}")


def _other_backend() -> bool:
    """Whether dm_control has been imported with another backend."""
    render = sys.modules.get("dm_control._render")
    # "off": imported by `engine.undrawn`, it has chosen none yet.
    return getattr(render, "BACKEND", "off") not in ("glfw", "off")
