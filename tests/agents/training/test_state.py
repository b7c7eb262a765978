from __future__ import annotations

import dataclasses

import pytest
import torch

from coordconv_rl.agents.build import build_env, build_model
from coordconv_rl.agents.training import Checkpoint, episodes_kept, restore
from coordconv_rl.agents.training.state import capture
from coordconv_rl.errors import InputError


def test_a_restored_model_plays_and_learns_as_the_captured_one(small_run):
    config = small_run()
    env = build_env(config)
    model = build_model(config, env, "float32")
    model.learn(32)
    taken = capture(model, env, {"run": config.run_id})
    model.learn(32, reset_num_timesteps=False)
    other_env = build_env(config)
    other = build_model(dataclasses.replace(config, seed=9), other_env, "float32")
    restore(other, other_env, taken)
    assert other.num_timesteps == 32
    other.ep_info_buffer, other.ep_success_buffer = model.ep_info_buffer, model.ep_success_buffer
    other.learn(32, reset_num_timesteps=False)
    for name, value in model.policy.state_dict().items():
        assert torch.equal(value, other.policy.state_dict()[name]), name
    env.close()
    other_env.close()


def test_where_the_episodes_ended_is_read_with_suspicion():
    whole = {"run": "r", "episodes_bytes": 40, "episodes_sha256": "ab"}
    assert episodes_kept(Checkpoint({"extra": whole}, {}), "r") == (40, "ab")
    old = {"run": "r", "episodes_bytes": 40}  # of version 0.1.0
    assert episodes_kept(Checkpoint({"extra": old}, {}), "r") == (40, None)
    for extra in (None, {}, {"run": "r", "episodes_bytes": True}):
        with pytest.raises(InputError, match=r"where its episodes\.csv ended"):
            episodes_kept(Checkpoint({"extra": extra}, {}), "r")
    with pytest.raises(InputError, match="two are mixed"):
        episodes_kept(Checkpoint({"extra": whole}, {}), "s")
