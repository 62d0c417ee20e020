"""dm_control's arena, walker and robots. Slow to import, so to be imported where they are used.

Its import looks for a display unless a renderer has been chosen, and has every deprecation in the
process shown from then on.
"""

import warnings

from environments.embedded.rendering import choose_backend

choose_backend()
with warnings.catch_warnings():  # restores the filters
    from dm_control import composer
    from dm_control.entities.manipulators import kinova
    from dm_control.locomotion.walkers import JumpingBallWithHead

__all__ = ["JumpingBallWithHead", "composer", "kinova"]
