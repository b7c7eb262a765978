from __future__ import annotations

import pytest
import torch

from coordconv_rl.agents.build import LinearSchedule, build_env, build_model, check_device
from coordconv_rl.errors import InputError
from coordconv_rl.sb3 import Adam, FastA2C, FastPPO, RMSpropTFLike


@pytest.mark.parametrize(
    ("algo", "kind", "optimizer"),
    [("a2c", FastA2C, RMSpropTFLike), ("ppo", FastPPO, Adam)],
)
def test_a_model_is_what_its_configuration_says(small_run, algo, kind, optimizer):
    config = small_run(algo)
    env = build_env(config)
    model = build_model(config, env, "float32")
    again = build_model(config, env, "float32")
    assert isinstance(model, kind)
    assert isinstance(model.policy.optimizer, optimizer)
    assert (model.n_envs, model.n_steps, model.gamma) == (2, 16, config.hyperparameters.gamma)
    for name, value in model.policy.state_dict().items():
        assert torch.equal(value, again.policy.state_dict()[name])
    env.close()


def test_a_linear_schedule_ends_at_zero():
    schedule = LinearSchedule(0.5)
    assert [schedule(left) for left in (1.0, 0.5, 0.0)] == [0.5, 0.25, 0.0]


def test_a_device_that_is_not_there_is_bad_input():
    assert check_device("cpu").type == "cpu"
    with pytest.raises(InputError, match="use --device cpu"):
        check_device("cuda:99")
