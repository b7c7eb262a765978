from __future__ import annotations

import pytest
import torch
from small_agent import small_config, train_small

from coordconv_rl.agents.loading import blank_model, load_agent, on_device
from coordconv_rl.errors import InputError


def test_a_folder_opens_at_its_checkpoint(tmp_path):
    train_small(tmp_path)
    model, config, step = load_agent(tmp_path, best=True)
    assert (config, step) == (small_config(), 64)
    fresh = blank_model(config).policy.state_dict()
    assert any(not torch.equal(v, fresh[k]) for k, v in model.policy.state_dict().items())


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no run"):
        load_agent(tmp_path)
    with pytest.raises(InputError, match="must be cpu, cuda or"):
        on_device(small_config(), "tpu")
