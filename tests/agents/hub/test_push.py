"""Pushed and loaded with the Hub's own library, against the few answers of `hub_server`."""

from __future__ import annotations

import json

import pytest
import yaml
from hub_server import hub_server
from small_agent import train_small

from coordconv_rl.agents import load_agent
from coordconv_rl.agents.hub import Parcel, fetch_agent, push_agent
from coordconv_rl.errors import InputError

pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return train_small(tmp_path_factory.mktemp("run"), episodes=2)


@pytest.fixture(scope="module")
def hub():
    with hub_server() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def token():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", "hf_test")
        patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        yield


@pytest.fixture(scope="module")
def pushed(folder, hub):
    parcel = Parcel(zip=True, private=True)
    return push_agent(folder, "me/mine", parcel, endpoint=hub.address)


def test_a_repository_holds_what_a_reader_needs_and_no_more(pushed, hub, folder):
    assert pushed == f"{hub.address}/me/mine"
    files = hub.repos["me/mine"]
    assert sorted(files) == [
        "README.md",
        "checkpoints/step-000000000064.safetensors",
        "config.yaml",
        "evaluation.json",
        "ppo-minatar-breakout.zip",
        "replay.mp4",
    ]
    assert hub.private["me/mine"]
    assert not hub.unknown
    assert files["config.yaml"] == (folder / "config.yaml").read_bytes()
    assert b"ftyp" in files["replay.mp4"][:16]
    metadata = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert {"deep-reinforcement-learning", "stable-baselines3"} <= set(metadata["tags"])
    (result,) = metadata["model-index"][0]["results"]
    (metric,) = result["metrics"]
    found = json.loads((folder / "evaluation.json").read_text())["stochastic"]
    assert metric["type"] == "mean_reward"
    assert metric["value"] == f"{found['mean']:.2f} +/- {found['std']:.2f}"
    assert result["dataset"]["name"] == "minatar/breakout"


def test_what_is_loaded_is_the_agent(pushed, hub, folder, tmp_path):
    fetched = fetch_agent("me/mine", tmp_path / "mine", endpoint=hub.address)
    names = sorted(str(p.relative_to(fetched)) for p in fetched.rglob("*") if p.is_file())
    assert names == [
        "README.md",
        "checkpoints/step-000000000064.safetensors",
        "config.yaml",
        "evaluation.json",
    ]  # the zip, which holds pickle, stays there
    (ours, config, step), (theirs, *others) = load_agent(folder), load_agent(fetched)
    assert [config, step] == others
    seen = ours.get_env().reset()
    assert (ours.policy.obs_to_tensor(seen)[0] == theirs.policy.obs_to_tensor(seen)[0]).all()
    for name, value in ours.policy.state_dict().items():
        assert (theirs.policy.state_dict()[name] == value).all()
    with pytest.raises(InputError, match="holds something already"):
        fetch_agent("me/mine", tmp_path / "mine", endpoint=hub.address)


def test_own_code_is_only_imported_with_trust(hub, tmp_path):
    run = train_small(
        tmp_path / "run", game="dots", environment={"make": "image_games:dot"}, steps=32
    )
    with pytest.raises(InputError, match="--trust-code"):
        push_agent(run, "me/dots", endpoint=hub.address)
    assert "me/dots" not in hub.repos
    push_agent(run, "me/dots", Parcel(video=False), trust_code=True, endpoint=hub.address)
    card = hub.repos["me/dots"]["README.md"].decode()
    assert "with `--trust-code`" in card
    assert "This checkpoint was not evaluated." in card
    fetched = fetch_agent("me/dots", tmp_path / "dots", endpoint=hub.address)
    with pytest.raises(InputError, match="--trust-code"):
        load_agent(fetched)
    assert load_agent(fetched, trust_code=True)[2] == 32
