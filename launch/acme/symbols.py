"""Every name of Acme's that we use, imported in one place, after `compat.install`."""

from launch.acme import compat

compat.install()  # before any import of Acme, which is why those stand below it

from acme.adders.reverb import SequenceAdder  # noqa: E402
from acme.adders.reverb.sequence import EndBehavior  # noqa: E402
from acme.core import Actor, Learner, VariableSource  # noqa: E402
from acme.datasets.reverb import make_reverb_dataset  # noqa: E402
from acme.environment_loop import EnvironmentLoop  # noqa: E402
from acme.specs import make_environment_spec  # noqa: E402
from acme.utils.counting import Counter  # noqa: E402
from acme.utils.loggers import InMemoryLogger, Logger, NoOpLogger  # noqa: E402

__all__ = [
    "Actor",
    "Counter",
    "EndBehavior",
    "EnvironmentLoop",
    "InMemoryLogger",
    "Learner",
    "Logger",
    "NoOpLogger",
    "SequenceAdder",
    "VariableSource",
    "make_environment_spec",
    "make_reverb_dataset",
]
