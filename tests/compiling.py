"""How XLA compiles for tests: most programs run once or twice, so what takes time is compiling."""

import sys

QUICK = "--xla_backend_optimization_level=0"
if sys.version_info < (3, 12):  # later versions of XLA need not have these, and refuse others
    QUICK += " --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
