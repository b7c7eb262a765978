"""Configurations: `schema` says what a run and an experiment are, `load` reads and checks YAML.

`a2c.yaml` and `ppo.yaml` are the algorithms' presets; every other YAML file is an experiment.
"""
