from __future__ import annotations

import torch

from coordconv_rl.agents.build import build_env, build_model
from coordconv_rl.agents.inspect import games


def test_own_observations_are_the_agents_and_repeat(small_run, monkeypatch):
    monkeypatch.setattr(games, "FRAME_STEPS", 8)
    config = small_run()
    env = build_env(config)
    model = build_model(config, env, "float32")
    before = torch.get_rng_state()
    found = games.own_observations(model, config, 7)
    assert found.shape == (8 // games.FRAME_EVERY * games.FRAME_ENVS, 4, 84, 84)
    assert found.dtype == torch.uint8
    assert found.any()
    assert torch.equal(games.own_observations(model, config, 7), found)
    assert not torch.equal(games.own_observations(model, config, 8), found)
    assert torch.equal(torch.get_rng_state(), before)
    env.close()
