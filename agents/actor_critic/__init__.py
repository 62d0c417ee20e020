"""The V-trace actor-critic that DRC and its baselines share; they differ in their networks."""
