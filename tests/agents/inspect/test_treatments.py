"""Whether an agent uses its coordinates: the treatments, the share, the files."""

from __future__ import annotations

import json

import pytest
import torch

from coordconv_rl.agents.evaluate import play
from coordconv_rl.agents.inspect import games as inspection_games
from coordconv_rl.agents.inspect import inspect_command
from coordconv_rl.agents.inspect import treatments as inspection
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.train import train_agent
from coordconv_rl.errors import InputError
from coordconv_rl.layers import CoordConv2d
from coordconv_rl.runs import INSPECTION_FILE, TREATMENTS


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from coordconv_rl.configs.load import preset
    from coordconv_rl.configs.schema import Evaluation, RunConfig

    settings = preset("ppo", {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1})
    folder = tmp_path_factory.mktemp("runs")
    for arm in ("coordconv", "shuffled", "cnn"):
        config = RunConfig(
            algo="ppo",
            game="Breakout",
            arm=arm,
            seed=1,
            steps=32,
            hyperparameters=settings,
            evaluation=Evaluation(0),
            precision="float32",
        )
        assert train_agent(config, folder / config.run_id, show_progress=False) is not None
    return folder


def run_of(trained, arm):
    return trained / "ppo" / "Breakout" / arm / "seed-1"


def features(model):
    frames = torch.randint(0, 256, (2, 4, 84, 84), generator=torch.Generator().manual_seed(0))
    model.policy.set_training_mode(False)
    with torch.no_grad():
        return model.policy.extract_features(frames.to(torch.uint8))


@pytest.mark.parametrize("arm", ["coordconv", "shuffled"])
def test_treatments_change_what_the_network_sees_and_are_undone(trained, arm):
    model, _, _ = load_agent(run_of(trained, arm))
    layers = inspection.coordinate_layers(model)
    assert len(layers) == 1
    before = features(model)
    seen = {}
    for treatment in inspection.TREATMENTS:
        with inspection.coordinates_as(layers, treatment, 5):
            seen[treatment] = features(model)
    assert torch.equal(seen["trained"], before)
    assert not torch.allclose(seen["zeroed"], before)
    assert not torch.allclose(seen["permuted"], before)
    assert not torch.allclose(seen["permuted"], seen["zeroed"])
    assert torch.equal(features(model), before)


def test_zeroed_is_the_network_on_channels_of_zero():
    layer = CoordConv2d(3, 4, 3)
    images = torch.rand(2, 3, 9, 9)
    with inspection.coordinates_as([layer], "zeroed", 0), torch.no_grad():
        torch.testing.assert_close(layer(images), torch.conv2d(images, layer.weight, layer.bias))


def test_permuted_is_the_layer_with_that_permutation():
    layer, other = CoordConv2d(3, 4, 3), CoordConv2d(3, 4, 3, shuffle_seed=8)
    other.load_state_dict(layer.state_dict())
    images = torch.rand(2, 3, 9, 9)
    with torch.no_grad():
        layer(images)  # so that there is something kept
        with inspection.coordinates_as([layer], "permuted", 8):
            torch.testing.assert_close(layer(images), other(images))


def test_treatments_are_undone_after_an_error():
    layer = CoordConv2d(3, 4, 3, shuffle_seed=3)
    weight = layer.coord_weight.detach().clone()
    with pytest.raises(KeyError), inspection.coordinates_as([layer], "zeroed", 0):
        raise KeyError
    assert torch.equal(layer.coord_weight, weight)
    assert layer.shuffle_seed == 3


def nothing():
    """What is called after every step of a game."""


def treated(trained):
    model, config, _ = load_agent(run_of(trained, "coordconv"))
    policies = {name: inspection.treated_policy(model, name, 5) for name in TREATMENTS}
    return model, config, policies


def test_games_as_trained_are_those_of_the_evaluation(trained):
    """They are played beside those of the other treatments, and are the same all the same."""
    model, config, policies = treated(trained)
    found = inspection_games.play_treated(policies, config, 2, seed=9, on_step=nothing)
    assert found["trained"] == (play(model, config, 2, greedy=False, seed=9), 0)
    assert tuple(found) == TREATMENTS


def test_a_cut_game_counts_as_far_as_it_came(trained, monkeypatch):
    model, config, policies = treated(trained)
    monkeypatch.setattr(inspection_games, "GAME_FRAMES", 480)
    steps = []
    found = inspection_games.play_treated(
        {"trained": policies["trained"]}, config, 2, seed=9, on_step=lambda: steps.append(1)
    )
    scores, cut = found["trained"]
    assert cut == 2
    assert len(steps) == 120
    whole = play(model, config, 2, greedy=False, seed=9)
    assert all(0 <= part <= all_ for part, all_ in zip(scores, whole, strict=True))
    assert sum(scores) > 0


def test_inspect_writes_what_the_report_reads(trained, monkeypatch):
    monkeypatch.setattr(inspection_games, "FRAME_STEPS", 16)
    folder = run_of(trained, "coordconv")
    assert inspect_command(folder, 1) == 0
    found = json.loads((folder / INSPECTION_FILE).read_text())
    assert found["run"] == "ppo/Breakout/coordconv/seed-1"
    assert tuple(found["scores"]) == TREATMENTS == inspection.TREATMENTS
    assert all(len(scores["scores"]) == 1 for scores in found["scores"].values())
    assert 0 < found["share"] < 1
    assert (folder / "inspection.png").read_bytes().startswith(b"\x89PNG")
    again = inspection.inspect(folder, episodes=1)
    assert again == {name: value for name, value in found.items() if name != "sha256"}


def test_agents_without_coordinates_and_empty_folders_are_refused(trained, tmp_path):
    with pytest.raises(InputError, match="arm cnn, which has no coordinates in a CoordConv layer"):
        inspection.inspect(run_of(trained, "cnn"), episodes=1)
    with pytest.raises(InputError, match="play at least 1"):
        inspection.inspect(run_of(trained, "coordconv"), episodes=0)
    with pytest.raises(InputError, match="holds no run"):
        inspect_command(tmp_path)
    (tmp_path / "experiment.yaml").write_text("")
    with pytest.raises(InputError, match="no finished agent with coordinates"):
        inspect_command(tmp_path)
