from __future__ import annotations

import pytest
from stable_baselines3 import PPO

from coordconv_rl.agents import export_sb3, import_sb3, load_agent, train_agent
from coordconv_rl.errors import InputError


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from coordconv_rl.configs import Evaluation, RunConfig, preset

    settings = preset("ppo", {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1})
    folder = tmp_path_factory.mktemp("run")
    config = RunConfig(
        algo="ppo", game="Pong", arm="coordconv", seed=1, steps=32, hyperparameters=settings,
        evaluation=Evaluation(0), precision="float32",
    )  # fmt: skip
    train_agent(config, folder)
    return folder


def test_stock_sb3_opens_what_is_exported_and_acts_alike(trained, tmp_path):
    file = export_sb3(trained, tmp_path / "agent.zip")
    model, _, _ = load_agent(trained)
    observation = model.get_env().reset()
    expected, _ = model.predict(observation, deterministic=True)
    found, _ = PPO.load(file).predict(observation, deterministic=True)
    assert found.tolist() == expected.tolist()
    assert import_sb3(file, "ppo", trust_pickle=True).policy is not None


def test_pickle_needs_trust_and_files_must_be_zips(trained, tmp_path):
    with pytest.raises(InputError, match="--trust-pickle"):
        import_sb3(tmp_path / "agent.zip", "ppo", trust_pickle=False)
    (tmp_path / "no.zip").write_bytes(b"no")
    with pytest.raises(InputError, match="no zip"):
        import_sb3(tmp_path / "no.zip", "ppo", trust_pickle=True)
    with pytest.raises(InputError, match=r"must end in \.zip"):
        export_sb3(trained, tmp_path / "agent.tar")
    with pytest.raises(InputError, match="is no folder"):
        export_sb3(trained, tmp_path / "none" / "agent.zip")


def test_a_link_that_waits_for_an_export_is_not_written_through(trained, tmp_path):
    other = tmp_path / "mine"
    other.write_text("mine")
    (tmp_path / ".agent.partial.zip").symlink_to(other)
    (tmp_path / "agent.zip").symlink_to(other)
    file = export_sb3(trained, tmp_path / "agent.zip")
    assert other.read_text() == "mine"
    assert not file.is_symlink()
