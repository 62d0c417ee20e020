"""What `moravec doctor` advises where something is not installed as it should be."""

import json
from importlib import metadata

# The pair that is known to work; a newer half breaks the other.
REVERB, TENSORFLOW = "0.14.0", "2.15.1"


def _source() -> str:
    """What Moravec was installed from, as `pip install` takes it."""
    try:
        written = metadata.distribution("moravec").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        written = None
    if not written:
        return "/path/to/moravec"  # an index may have another of that name
    origin = json.loads(written)
    if vcs := origin.get("vcs_info", {}).get("vcs"):
        return f"'{vcs}+{origin['url']}'"
    option = "-e " if origin.get("dir_info", {}).get("editable") else ""
    return f"{option}'{origin['url']}'"


SYNC = f"run `uv sync`; with pip, `pip install {_source()}`"
# TensorFlow asks for an older ml-dtypes than JAX needs, though it runs with JAX's. So one command
# cannot ask for both, and JAX, which Moravec asks for, must come last.
REPLAY = (
    f"run `uv sync`; with pip, `pip install dm-reverb=={REVERB} tensorflow-cpu=={TENSORFLOW}`, "
    f"then `pip install {_source()} 'numpy<2'`, whose complaint about ml-dtypes does no harm"
)
ACME = "run `uv sync`; with pip, `pip install --no-deps dm-acme==0.4.0`"
