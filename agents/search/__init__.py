"""Tree search over an environment model: the baseline that plans with as many steps as it likes."""
