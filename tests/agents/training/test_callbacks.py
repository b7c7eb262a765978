from __future__ import annotations

import json

import pytest
import torch

from coordconv_rl.agents.build import build_env, build_model
from coordconv_rl.agents.training import Progress, RunCallback, StopRequest, list_checkpoints
from coordconv_rl.agents.training.callbacks import Diverged
from coordconv_rl.runs import EpisodeLog, RunRecord, check_whole, read_record, read_sums


@pytest.fixture
def trained(small_run, tmp_path):
    config = small_run(steps=64)
    env = build_env(config)
    model = build_model(config, env, "float32")
    episodes = EpisodeLog(tmp_path / "episodes.csv")
    facts = {"run": config.run_id, "step": 0, "steps": 64}
    callback = RunCallback(
        config, tmp_path, episodes=episodes, record=RunRecord(tmp_path, facts),
        progress=Progress("", 64, shown=False), stop=StopRequest(),
    )  # fmt: skip
    model.learn(64, callback)
    yield callback
    env.close()
    episodes.close()


def test_a_checkpoint_and_the_record_say_what_the_episodes_were(trained, tmp_path):
    trained.episodes.add(64, 2.0, 400, True)
    trained.save()
    record = read_record(tmp_path)
    assert record is not None
    sums = read_sums(tmp_path, record)
    assert sums["episodes.csv"] == trained.episodes.sum
    assert sums["episodes.csv"].rows >= 1
    check_whole(tmp_path, record, sums)
    assert json.loads((tmp_path / "checkpoints" / "best.json").read_text())["step"] == 64


def test_weights_that_are_no_numbers_make_no_checkpoint(trained, tmp_path):
    before = list_checkpoints(tmp_path)
    with torch.no_grad():
        next(iter(trained.model.policy.parameters())).fill_(float("nan"))
    with pytest.raises(Diverged, match="not finite at step 64"):
        trained.save()
    assert list_checkpoints(tmp_path) == before
