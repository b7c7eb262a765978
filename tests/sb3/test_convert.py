"""SB3 models gain coordinates, train on, and go on saving and loading."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import QRDQN
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from coordconv_rl.errors import InputError
from coordconv_rl.sb3.convert import add_coordinates


class Images(gym.Env):  # type: ignore[misc]
    """Random images; the reward is for naming the brighter half."""

    def __init__(self, mixed: bool = False) -> None:
        self.action_space = spaces.Discrete(2)
        image = spaces.Box(0, 255, (1, 36, 36), np.uint8)
        vector = spaces.Box(-1, 1, (3,), np.float32)
        both = spaces.Dict({"image": image, "vector": vector})
        self.observation_space = both if mixed else image
        self.observation_space.seed(0)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return (
            self.observation_space.sample(),
            float(action),
            bool(self.np_random.random() < 0.1),
            False,
            {},
        )


def make_model(algorithm: Any, mixed: bool = False, **policy_kwargs: Any) -> Any:
    options: dict[str, Any] = {"n_steps": 8}
    if algorithm is PPO:
        options = {"n_steps": 16, "batch_size": 8, "n_epochs": 2}
    if algorithm in (DQN, QRDQN):
        options = {"learning_starts": 4, "buffer_size": 50, "batch_size": 4, "train_freq": 4,
                   "target_update_interval": 8, "tau": 0.5}  # fmt: skip
    policy = "MultiInputPolicy" if mixed else "CnnPolicy"
    return algorithm(
        policy, Images(mixed), seed=0, policy_kwargs=policy_kwargs or None, device="cpu", **options
    )


def outputs(model: Any) -> torch.Tensor:
    """What the policy computes for eight fixed images, before any sampling."""
    torch.manual_seed(1)
    images = torch.randint(0, 256, (8, 1, 36, 36), dtype=torch.uint8)
    observation: Any = images
    if isinstance(model.observation_space, spaces.Dict):
        observation = {"image": images, "vector": torch.rand(8, 3)}
    with torch.no_grad():
        if hasattr(model, "q_net"):
            return torch.cat([model.q_net(observation), model.q_net_target(observation)])
        if hasattr(model, "quantile_net"):
            return torch.cat(
                [model.quantile_net(observation), model.quantile_net_target(observation)]
            )
        distribution = model.policy.get_distribution(observation).distribution
        return torch.cat([distribution.logits, model.policy.predict_values(observation)], 1)


@pytest.mark.parametrize(
    ("algorithm", "mixed", "policy_kwargs"),
    [
        (A2C, False, {}),
        (PPO, False, {}),
        (PPO, False, {"share_features_extractor": False}),
        (PPO, True, {}),
        (DQN, False, {}),
        (QRDQN, False, {}),
    ],
)
@pytest.mark.parametrize("layers", ["first", "all"])
def test_sb3_models_train_on_save_and_load(
    algorithm: Any, mixed: bool, policy_kwargs: dict[str, Any], layers: Any, tmp_path: Path
) -> None:
    model = make_model(algorithm, mixed, **policy_kwargs)
    model.learn(20)
    given = dict(policy_kwargs)
    wanted = outputs(model)
    report = add_coordinates(model, layers, radius=layers == "all")
    assert policy_kwargs == given
    torch.testing.assert_close(outputs(model), wanted, rtol=0, atol=1e-6)
    networks = 2 if algorithm in (DQN, QRDQN) or policy_kwargs else 1
    assert len(report.changed) == networks * (3 if layers == "all" else 1)

    places = {id(p): i for i, p in enumerate(model.policy.optimizer.param_groups[0]["params"])}
    learning = [p for p in report.parameters if id(p) in places]
    assert len(learning) == len(report.parameters) // (2 if algorithm in (DQN, QRDQN) else 1)
    model.learn(20, reset_num_timesteps=False)
    assert all(parameter.any() for parameter in learning)

    model.save(tmp_path / "model.zip")
    loaded = algorithm.load(tmp_path / "model.zip", env=Images(mixed), device="cpu")
    assert torch.equal(outputs(loaded), outputs(model))
    ours, theirs = model.policy.optimizer, loaded.policy.optimizer
    for left, right in zip(
        ours.param_groups[0]["params"], theirs.param_groups[0]["params"], strict=True
    ):
        for key, value in ours.state[left].items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(theirs.state[right][key]))
    loaded.learn(20, reset_num_timesteps=False)


def test_policy_alone() -> None:
    model = make_model(A2C)
    wanted = outputs(model)
    report = add_coordinates(model.policy)
    assert report.changed == ("features_extractor.cnn.0",)
    assert report.parameters[0] in set(model.policy.optimizer.param_groups[0]["params"])
    assert torch.equal(outputs(model), wanted)


def test_a_policy_alone_says_that_its_model_cannot_be_loaded(caplog: Any) -> None:
    add_coordinates(make_model(A2C).policy)
    assert "cannot rebuild a model whose policy alone was converted" in caplog.text
    caplog.clear()
    add_coordinates(make_model(A2C))
    assert not caplog.text


def grouped(policy: Any) -> torch.optim.Optimizer:
    """An optimizer that decays weights and no biases, as many have it."""
    several, single = [], []
    for parameter in policy.parameters():
        (several if parameter.dim() > 1 else single).append(parameter)
    return torch.optim.AdamW([{"params": several}, {"params": single, "weight_decay": 0.0}])


@pytest.mark.parametrize("how", ["groups", "alias", "dict", "list"])
def test_new_weights_are_once_in_the_group_of_their_layers_weights(how: str, caplog: Any) -> None:
    model = make_model(A2C)
    policy = model.policy
    made = policy.optimizer = grouped(policy)
    if how == "alias":
        policy.mlp_extractor.optimizer = made
    elif how != "groups":
        policy.own = {"one": made} if how == "dict" else [made]
        policy.optimizer = torch.optim.SGD([policy.action_net.bias], 0.1)
    add_coordinates(model)
    new = policy.features_extractor.cnn[0].coord_weight
    counts = [sum(p is new for p in group["params"]) for group in made.param_groups]
    assert counts == [1, 0]
    assert "no optimizer" not in caplog.text
    rebuilt = grouped(policy).param_groups
    for group, right in zip(made.param_groups, rebuilt, strict=True):
        assert all(a is b for a, b in zip(group["params"], right["params"], strict=True))


def test_new_weights_that_nobody_trains_are_named(caplog: Any) -> None:
    model = make_model(A2C)
    model.policy.optimizer = torch.optim.SGD([model.policy.action_net.bias], 0.1)
    add_coordinates(model)
    assert "no optimizer was found that trains the convolutions of features_ext" in caplog.text
    caplog.clear()
    frozen = make_model(A2C)
    frozen.policy.features_extractor.requires_grad_(False)
    frozen.policy.optimizer = torch.optim.SGD([frozen.policy.action_net.bias], 0.1)
    for quiet in (frozen, make_model(DQN)):
        add_coordinates(quiet)
    assert "no optimizer" not in caplog.text


class OwnExtractor(BaseFeaturesExtractor):
    def __init__(self, observation_space: spaces.Box) -> None:
        super().__init__(observation_space, 16)
        self.net = nn.Sequential(nn.Conv2d(1, 4, 8, 8), nn.Flatten(), nn.Linear(64, 16))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.net(observations)  # type: ignore[no-any-return]


def test_foreign_extractors_are_changed_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    model = make_model(A2C, features_extractor_class=OwnExtractor)
    with caplog.at_level(logging.WARNING):
        assert add_coordinates(model).changed == ("features_extractor.net.0",)
    assert "load cannot rebuild a converted OwnExtractor" in caplog.text
    assert model.policy_kwargs["features_extractor_class"] is OwnExtractor
    assert "features_extractor_kwargs" not in model.policy_kwargs
    model.learn(20)


def test_sb3_model_without_convolutions() -> None:
    with pytest.raises(InputError, match="nothing to change in ActorCriticPolicy"):
        add_coordinates(A2C("MlpPolicy", "CartPole-v1", device="cpu"))


def test_named_parameters_of_an_optimizer_stay_in_step() -> None:
    model = make_model(A2C)
    policy = model.policy
    policy.optimizer = torch.optim.Adam(policy.named_parameters())
    if "param_names" not in policy.optimizer.param_groups[0]:
        pytest.skip("this torch names no parameters")
    add_coordinates(policy, "all")
    (group,) = policy.optimizer.param_groups
    rebuilt = torch.optim.Adam(policy.named_parameters()).param_groups[0]
    assert group["param_names"] == rebuilt["param_names"]
    assert all(a is b for a, b in zip(group["params"], rebuilt["params"], strict=True))
