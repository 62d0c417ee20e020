"""Replay through Reverb: tables, server, writer, sampler; the only part that imports Reverb."""

import warnings

# Of Reverb's own check of TensorFlow's version; some libraries have such warnings shown.
warnings.filterwarnings("ignore", "distutils Version classes", DeprecationWarning)
