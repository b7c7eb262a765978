from __future__ import annotations

import pytest

from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.training import list_checkpoints, look_at_start
from coordconv_rl.agents.training.start import newest_checkpoint
from coordconv_rl.errors import InputError


def test_what_a_run_goes_on_from(small_run, tmp_path):
    config = small_run(steps=64)
    empty = look_at_start(tmp_path / "none", config)
    assert (empty.record, empty.checkpoint, empty.episodes) == (None, None, None)
    train_agent(config, tmp_path)
    found = look_at_start(tmp_path, config)
    assert found.checkpoint is not None
    assert found.checkpoint.state["counters"]["num_timesteps"] == 64
    assert found.episodes == (tmp_path / "episodes.csv").read_bytes()
    (newest,) = list_checkpoints(tmp_path)
    newest.write_bytes(b"")
    with pytest.raises(InputError, match=r"no checkpoint in .* is whole"):
        newest_checkpoint(tmp_path)
