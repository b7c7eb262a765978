"""An algorithm's settings: what only PPO takes has a value that means nothing to A2C."""

from __future__ import annotations

import dataclasses

from coordconv_rl.configs import preset
from coordconv_rl.configs.hyperparameters import Hyperparameters


def test_a2c_leaves_to_the_defaults_what_only_ppo_takes():
    optional = {
        field.name: field.default
        for field in dataclasses.fields(Hyperparameters)
        if field.default is not dataclasses.MISSING
    }
    assert optional == {"n_epochs": 1, "batch_size": None, "clip_range": None}
    a2c, ppo = (dataclasses.asdict(preset(algo)) for algo in ("a2c", "ppo"))
    assert {name: a2c[name] for name in optional} == optional
    assert not any(ppo[name] == value for name, value in optional.items())
