"""Registers `mujoban` with its options; loads MuJoCo only when asked to."""

from dataclasses import dataclass, field

from environments.embedded.options import check_shown
from environments.errors import UserError
from environments.hints.options import HintOptions
from environments.registry import EnvironmentOptions, register

PHYSICS_STEP = 0.001  # seconds
OBSERVATION_KINDS = ("proprioception", "planes", "pixels", "position")
_MAX_TOLERANCE = 0.4  # metres; a box then activates the pad of the cell that it is in


def _single(options: "MujobanOptions", seed: int):
    from environments.embedded.mujoban.embedding import make

    return make(options, seed)


@register(
    "mujoban",
    title="MuJoBan",
    version=1,
    tags=("embedded", "single_player", "levels"),
    single=_single,
)
@dataclass(frozen=True)
class MujobanOptions(EnvironmentOptions):
    """Sokoban in MuJoCo: a ball that rolls, steers and jumps pushes boxes onto pads."""

    # Level source: boxoban:SET/SPLIT, generated:size=..,boxes=..,count=..,seed=.., or a path.
    levels: str = "boxoban:unfiltered/train"
    # Seconds that an action is held, a multiple of the physics step of 0.001; 0.1 is that of the
    # public environment's example, 0.025 its default.
    control_step: float = 0.1
    # Seconds after which an episode is cut off.
    time_limit: float = 1000.0
    # What an observation holds: proprioception (the public environment's walker/... keys, which
    # do not say where on the board the walker is), planes, pixels (one per cell), position
    # (walker/position and boxes/position, metres; boxes/egocentric, seen from the walker).
    observations: tuple[str, ...] = ("proprioception", "planes")
    # Height and width in pixels of the picture from above, key top_camera; 0 0 leaves it out.
    top_camera: tuple[int, int] = (0, 0)
    # Likewise what the walker sees, key walker/egocentric_camera.
    egocentric_camera: tuple[int, int] = (0, 0)
    # How far a box may stick out of a pad that it activates, in metres.
    tolerance: float = 0.0
    # Whether boxes and walker begin elsewhere than the level has them: boxes on pads, or between
    # two cells. Such a level may have no solution: for learning to see.
    scatter: bool = False
    # Whether pegs at the corners of the cells keep boxes from moving diagonally.
    pegs: bool = False
    # Whether planes and pixels are given under the public names full_entity_layer and pixel_layer
    # too.
    public_names: bool = False
    # A run of perception, whose reading of the board, from its camera, takes the place of the truth
    # for the expert and in planes. Empty: the truth.
    perception: str = ""
    # An expert's advice.
    hints: HintOptions = field(default_factory=HintOptions)

    def __post_init__(self):
        super().__post_init__()
        steps = self.control_step / PHYSICS_STEP
        if not (0.999 < steps < 10_001 and abs(steps - round(steps)) < 1e-6):
            raise UserError(
                f"control_step must be a multiple of {PHYSICS_STEP} from {PHYSICS_STEP} to 10, "
                f"not {self.control_step}"
            )
        if not self.control_step <= self.time_limit < float("inf"):
            raise UserError(
                f"time_limit must be at least control_step={self.control_step} and finite, "
                f"not {self.time_limit}"
            )
        if not 0 <= self.tolerance <= _MAX_TOLERANCE:
            raise UserError(f"tolerance must be in 0 to {_MAX_TOLERANCE}, not {self.tolerance}")
        check_shown(self, OBSERVATION_KINDS, ("top_camera", "egocentric_camera"))
