"""Replay through Reverb, for the runners: tables, server, writer, sampler."""

import warnings

# Of Reverb's own check of TensorFlow's version; some libraries have such warnings shown.
warnings.filterwarnings("ignore", "distutils Version classes", DeprecationWarning)
