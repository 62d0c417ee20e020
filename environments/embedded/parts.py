"""dm_control's arena, walker and robots. Slow to import, so to be imported where they are used.

Its import has every deprecation in the process shown from then on, unless that is undone.
"""

import warnings

from environments.embedded.engine import undrawn

with warnings.catch_warnings(), undrawn():  # the first restores the filters
    from dm_control import composer
    from dm_control.entities.manipulators import kinova
    from dm_control.locomotion.walkers import JumpingBallWithHead

__all__ = ["JumpingBallWithHead", "composer", "kinova"]
