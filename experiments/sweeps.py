"""Named sweeps: runs that are compared, as data. `moravec sweep NAME` trains them."""

from dataclasses import dataclass

from environments.errors import UserError, unknown
from environments.plugins import load_plugins


@dataclass(frozen=True)
class Variant:
    """One curve of a comparison; it is trained once for each seed."""

    label: str  # names its folder and its curve
    experiment: str
    overrides: tuple[str, ...] = ()  # options of `moravec train`
    # (part, label): what the experiment begins with is the run of another variant, same seed.
    prerequisites: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Sweep:
    """What is compared, in the order in which it is trained."""

    summary: str
    variants: tuple[Variant, ...]

    def __post_init__(self):
        known: set[str] = set()
        for variant in self.variants:
            if variant.label in known:
                raise UserError(f"label {variant.label!r} is used twice in a sweep")
            if not variant.label or set(variant.label) & set("/\\. "):
                raise UserError(f"label {variant.label!r} must be the name of a folder")
            for _, label in variant.prerequisites:
                if label not in known:
                    raise UserError(f"{variant.label} needs {label}, which must come before it")
            known.add(variant.label)


# The budget of those that begin with nothing: that of the others, with the frames of the policy
# and the model that these begin with.
_AS_MANY = ("--max-frames=850000",)

SWEEPS = {
    "sokoban_small": Sweep(
        "depth and repeats of DRC, and a network without memory, on 6x6 levels with one box",
        (
            Variant("drc11", "sokoban_small"),
            Variant("drc22", "sokoban_small", ("--agent.depth=2", "--agent.repeats=2")),
            Variant("cnn", "sokoban_small_cnn"),
        ),
    ),
    "sokoban_2box_i2a": Sweep(
        "I2A with a learned, perfect, poor and copy model, and without, on 6x6 levels, two boxes",
        (
            Variant("policy", "sokoban_2box_i2a_policy"),
            Variant("model", "sokoban_2box_i2a_model", prerequisites=(("policy", "policy"),)),
            Variant(
                "poor_model",
                "sokoban_2box_i2a_poor_model",
                prerequisites=(("policy", "policy"),),
            ),
            Variant("i2a", "sokoban_2box_i2a", prerequisites=(("model", "model"),)),
            Variant("perfect", "sokoban_2box_i2a_perfect", _AS_MANY),
            Variant("poor", "sokoban_2box_i2a_poor", prerequisites=(("model", "poor_model"),)),
            Variant("copy", "sokoban_2box_i2a_copy", _AS_MANY),
            Variant("model_free", "sokoban_2box_i2a_model_free", _AS_MANY),
        ),
    ),
}

_HINTS = "--environment.hints."
_SHORT = ("--max-frames=500000",)  # eight minutes each, on two cores
_SHOWN = ("--demonstrations.source=scripted", "--demonstrations.episodes=200")

SWEEPS |= {
    "mujoxo_win1": Sweep(
        "the winning square of tic-tac-toe pointed at, or not, at equal shaping",
        (
            Variant("hinted", "mujoxo_win1", _SHORT),
            Variant("unhinted", "mujoxo_win1_unhinted", _SHORT),
        ),
    ),
    "mujoban_tiny_hints": Sweep(
        "what hints tell, and what they reward, in physical Sokoban with one box",
        (
            Variant("unhinted", "mujoban_tiny"),
            Variant("target_shaping", "mujoban_tiny_hinted"),
            Variant("target", "mujoban_tiny_hinted", (f"{_HINTS}shaping=0",)),
            Variant("shaping", "mujoban_tiny_hinted", (f"{_HINTS}kind=none",)),
            Variant("action_shaping", "mujoban_tiny_hinted", (f"{_HINTS}kind=action",)),
            Variant("planes_shaping", "mujoban_tiny_hinted", (f"{_HINTS}kind=planes",)),
            Variant(
                "target_reached",
                "mujoban_tiny_hinted",
                (f"{_HINTS}shaping=0", f"{_HINTS}reached=0.5", f"{_HINTS}missed=0.5"),
            ),
            Variant("target_dropout", "mujoban_tiny_hinted", (f"{_HINTS}dropout=0.5",)),
            Variant("target_demonstrated", "mujoban_tiny_hinted", _SHOWN),
            Variant("demonstrated", "mujoban_tiny", _SHOWN),
        ),
    ),
}


def sweep(name: str) -> Sweep:
    """The sweep called `name`. Raises UserError, with the nearest match, if there is none."""
    load_plugins()
    if name not in SWEEPS:
        raise unknown("sweep", name, SWEEPS)
    return SWEEPS[name]
