"""Gradients of gradients through the fast path: TRPO and penalties train as with stock SB3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from images import SHAPE, patches
from sb3_contrib import TRPO
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.utils import set_random_seed
from torch import Tensor

from coordconv_rl import CoordConvExtractor, CoordConvPolicy, FastA2C, FastPPO
from coordconv_rl.sb3 import algorithms
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

SPACE = spaces.Box(0, 255, SHAPE, np.uint8)
EXTRACTOR = {"features_extractor_class": CoordConvExtractor, "net_arch": []}
STOCK = {FastPPO: PPO, FastA2C: A2C}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def flat(tensors: Any) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def assert_parallel(found: Tensor, expected: Tensor, precision: str = "float32") -> None:
    """Compare gradients to stock SB3's in float32; bfloat16 has 8 bits of significand."""
    exact = precision == "float32"
    assert found.dtype == torch.float32
    assert torch.cosine_similarity(found, expected, dim=0) > 1 - (1e-5 if exact else 2e-3)
    torch.testing.assert_close(found.norm(), expected.norm(), rtol=1e-4 if exact else 0.05, atol=0)


def learned(model: Any, steps: int) -> Any:
    set_random_seed(4)
    return model.learn(steps)


def policies(precision: str = "float32", images: str = "bytes") -> tuple[Any, Any]:
    """Return our policy, in some precision, and stock SB3's, with the same weights."""
    torch.manual_seed(0)
    space, settings = SPACE, {}
    if images == "floats":
        space, settings = spaces.Box(0, 1, SHAPE, np.float32), {"normalize_images": False}
    theirs = ActorCriticCnnPolicy(
        space, spaces.Discrete(3), lambda _: 1e-3, **EXTRACTOR, **settings
    )
    ours = CoordConvPolicy(
        space, spaces.Discrete(3), lambda _: 1e-3, precision=precision, **settings
    )
    with torch.no_grad():
        theirs.action_net.weight.mul_(30)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def penalised(policy: Any, obs: Tensor) -> Tensor:
    """Return the weights' gradient of a loss plus the squared norm of the loss' gradient."""
    values, log_prob, _ = policy.evaluate_actions(obs, torch.arange(len(obs)) % 3)
    loss = (values * log_prob[:, None]).sum() + values.square().sum()
    slopes = torch.autograd.grad(loss, list(policy.parameters()), create_graph=True)
    (loss + 0.1 * sum(slope.square().sum() for slope in slopes)).backward()
    return flat(p.grad for p in policy.parameters())


def frames_of(images: str) -> Tensor:
    frames = torch.randint(256, (5, *SHAPE), dtype=torch.uint8, generator=torch.manual_seed(1))
    return frames if images == "bytes" else frames.float() / 255


PRECISIONS = pytest.mark.parametrize("precision", ["float32", "bfloat16", "auto"])
IMAGES = pytest.mark.parametrize("images", ["bytes", "floats"])


@PRECISIONS
@IMAGES
def test_a_gradient_penalty(precision, images):
    frames = frames_of(images)
    found, expected = (penalised(policy, frames) for policy in policies(precision, images))
    assert_parallel(found, expected, precision)


@PRECISIONS
def test_a_penalty_on_the_slope_along_the_images(precision):
    """As of a critic that must not be steep; images are floats, or they have no slope."""
    found = []
    for policy in policies(precision, "floats"):
        frames = frames_of("floats").requires_grad_()
        (slopes,) = torch.autograd.grad(
            policy.predict_values(frames).sum(), frames, create_graph=True
        )
        (slopes.flatten(1).norm(dim=1) - 1).square().mean().backward()
        used = [p for name, p in policy.named_parameters() if "action" not in name]
        found.append(flat(p.grad for p in used if p.grad is not None))
    assert_parallel(*found, precision)


@PRECISIONS
@IMAGES
def test_products_with_the_hessian(precision, images):
    frames = frames_of(images)
    products = []
    for policy in policies(precision, images):
        logits = policy.get_distribution(frames).distribution.logits
        weights = [p for name, p in policy.named_parameters() if "value" not in name]
        draw = torch.Generator().manual_seed(0)
        along = [torch.randn(p.shape, generator=draw) for p in weights]
        slopes = torch.autograd.grad(logits.exp().square().sum(), weights, create_graph=True)
        product = sum((s * v).sum() for s, v in zip(slopes, along, strict=True))
        products.append(flat(torch.autograd.grad(product, weights)))
    assert_parallel(*products, precision)


@PRECISIONS
def test_trpo_trains_as_with_sb3s_policy(precision):
    settings: dict[str, Any] = {"n_steps": 16, "batch_size": 16, "seed": 4, "n_critic_updates": 2}
    stock = TRPO(ActorCriticCnnPolicy, patches(), policy_kwargs=dict(EXTRACTOR), **settings)
    ours = TRPO(
        CoordConvPolicy, patches(), policy_kwargs={"precision": precision},
        rollout_buffer_class=DeviceRolloutBuffer, **settings,
    )  # fmt: skip
    begin = flat(p.detach().clone() for p in stock.policy.parameters())
    moves = [flat(learned(m, 32).policy.parameters()).detach() - begin for m in (ours, stock)]
    assert moves[1].norm() > 0
    assert_parallel(*moves, precision)
    logged = [m.logger.name_to_value["train/is_line_search_success"] for m in (ours, stock)]
    assert logged == [1, 1]


class Penalised(CoordConvPolicy):
    """Adds a penalty to the entropies, whose gradient is the gradient of a gradient."""

    def evaluate_actions(self, obs: Any, actions: Tensor) -> Any:
        return with_penalty(self, super().evaluate_actions(obs, actions))


class StockPenalised(ActorCriticCnnPolicy):
    def evaluate_actions(self, obs: Any, actions: Tensor) -> Any:
        return with_penalty(self, super().evaluate_actions(obs, actions))


def with_penalty(policy: Any, results: Any) -> Any:
    values, log_prob, entropy = results
    weights = list(policy.features_extractor.parameters())
    slopes = torch.autograd.grad(values.square().mean(), weights, create_graph=True)
    return values, log_prob, entropy - sum(slope.square().sum() for slope in slopes)


@pytest.mark.parametrize("algorithm", [FastPPO, FastA2C])
def test_a_penalty_in_training(algorithm, monkeypatch):
    """With distinct patches and with outputs known from acting."""
    monkeypatch.setattr(algorithms, "_limits", lambda _: (1.0, 1.0, 1.0))
    monkeypatch.setattr(algorithms, "BACKWARD", (1.0, 1.0, 1.0))
    settings: dict[str, Any] = {"n_steps": 8, "seed": 4, "ent_coef": 0.1}
    settings |= {"batch_size": 8, "n_epochs": 1} if algorithm is FastPPO else {}
    theirs = STOCK[algorithm](StockPenalised, patches(), policy_kwargs=dict(EXTRACTOR), **settings)
    kwargs = {
        "precision": "float32",
        "optimizer_class": theirs.policy.optimizer_class,
        "optimizer_kwargs": theirs.policy.optimizer_kwargs,
    }
    ours = algorithm(
        Penalised, patches(), policy_kwargs=kwargs,
        rollout_buffer_class=DeviceRolloutBuffer, **settings,
    )  # fmt: skip
    for model in (theirs, ours):
        learned(model, 16)
    for key, value in theirs.policy.state_dict().items():
        torch.testing.assert_close(ours.policy.state_dict()[key], value, rtol=0, atol=1e-5)


@pytest.mark.parametrize("algorithm", [FastPPO, FastA2C])
def test_a_penalty_in_training_with_bfloat16(algorithm, monkeypatch):
    """By plain steps along the gradient, whose sum is what stock SB3 goes in float32."""
    monkeypatch.setattr(algorithms, "_limits", lambda _: (1.0, 1.0, 1.0))
    monkeypatch.setattr(algorithms, "BACKWARD", (1.0, 1.0, 1.0))
    plain: dict[str, Any] = {"optimizer_class": torch.optim.SGD, "optimizer_kwargs": {}}
    settings: dict[str, Any] = {"n_steps": 8, "seed": 4, "ent_coef": 0.1, "learning_rate": 1e-3}
    settings |= {"batch_size": 8, "n_epochs": 1} if algorithm is FastPPO else {}
    theirs = STOCK[algorithm](
        StockPenalised, patches(), policy_kwargs=EXTRACTOR | plain, **settings
    )
    ours = algorithm(
        Penalised, patches(), policy_kwargs={"precision": "bfloat16"} | plain,
        rollout_buffer_class=DeviceRolloutBuffer, **settings,
    )  # fmt: skip
    begin = flat(p.detach().clone() for p in theirs.policy.parameters())
    moves = [flat(learned(m, 16).policy.parameters()).detach() - begin for m in (ours, theirs)]
    assert moves[1].norm() > 0
    assert_parallel(*moves, "bfloat16")


def test_the_fast_functions_are_in_these_graphs():
    ours, _ = policies()
    values = ours.predict_values(torch.zeros(1, *SHAPE, dtype=torch.uint8))
    names, found = set(), [values.grad_fn]
    while found:
        node = found.pop()
        names.add(type(node).__name__)
        found += [n for n, _ in node.next_functions if n is not None]
    assert {"_ConvReluBackward", "_LinearReluBackward"} <= names
