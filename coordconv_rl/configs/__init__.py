"""Configurations: `schema` says what a run and an experiment are, `load` reads and checks YAML.

`a2c.yaml` and `ppo.yaml` are the algorithms' presets; every other YAML file is an experiment.
"""

from coordconv_rl.configs.check import check_run, check_seed
from coordconv_rl.configs.load import load_experiment, load_run, parse, preset, read_yaml, to_yaml
from coordconv_rl.configs.schema import Algo, Evaluation, ExperimentConfig, Hyperparameters, RunConfig

__all__ = [
    "Algo",
    "Evaluation",
    "ExperimentConfig",
    "Hyperparameters",
    "RunConfig",
    "check_run",
    "check_seed",
    "load_experiment",
    "load_run",
    "parse",
    "preset",
    "read_yaml",
    "to_yaml",
]
