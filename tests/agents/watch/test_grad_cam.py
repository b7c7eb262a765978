"""Grad-CAM against values by hand, on every backbone, and only what SB3 itself computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from coordconv_rl import CoordConvExtractor, CoordConvPolicy
from coordconv_rl.agents.watch import grad_cam
from coordconv_rl.errors import InputError

TINY = spaces.Box(0, 255, (1, 2, 3), np.uint8)


class Tiny(BaseFeaturesExtractor):
    """Two maps, 2 x and -x of the image, ReLU, and all six places of both as features."""

    def __init__(self, space):
        super().__init__(space, 12)
        self.cnn = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.Flatten())
        with torch.no_grad():
            self.cnn[0].weight.copy_(torch.tensor([2.0, 0.5]).reshape(2, 1, 1, 1))

    def forward(self, images):
        return self.cnn(images)


class Vector(BaseFeaturesExtractor):
    def __init__(self, space):
        super().__init__(space, 6)

    def forward(self, images):
        return images.flatten(1)


def tiny(extractor=Tiny, actions=None):
    policy = ActorCriticCnnPolicy(
        TINY,
        actions or spaces.Discrete(2),
        lambda _: 1e-3,
        net_arch=[],
        features_extractor_class=extractor,
        normalize_images=False,
        ortho_init=False,
    )
    with torch.no_grad():
        policy.action_net.weight.zero_()
    return policy


IMAGE = np.array([[[[1, 0, 2], [3, 1, 0]]]], np.uint8)


def test_heat_is_what_a_hand_computes():
    policy = tiny()
    with torch.no_grad():  # of the first action; the second has zeros
        policy.action_net.weight[0] = torch.tensor([6.0, 0, 0, 0, 0, 0, 0, 0, -3, 0, 0, 0])
    # The mean slope of the logit is 6 / 6 = 1 for the first map and -3 / 6 for the second. The
    # maps are 2 x and x / 2, so heat is ReLU(2 x - x / 4).
    heat = grad_cam(policy, IMAGE, np.array([0]))
    assert heat.shape == (1, 2, 3)
    assert np.allclose(heat[0], 1.75 * IMAGE[0, 0])
    assert not grad_cam(policy, IMAGE, np.array([1])).any()


def test_what_speaks_against_an_action_is_no_heat():
    policy = tiny()
    with torch.no_grad():
        policy.action_net.weight[0] = -1.0
    assert not grad_cam(policy, IMAGE, np.array([0])).any()


@pytest.mark.parametrize(
    ("space", "actions", "factor"),
    [
        (spaces.MultiDiscrete([2, 2]), [[1, 1]], 1 / 6 + 3 / 6),  # logits 1 and 3
        (spaces.MultiBinary(2), [[1, 0]], 0 - 1 / 6 + 2 * 0),  # logit 0 for, logit 1 against
        (spaces.Box(0, 1, (2,)), [[0.1, 0.9]], 1 / 6),
        (spaces.Box(-1, 1, (2,)), [[0.9, -0.9]], -1 / 6),
    ],
)
def test_actions_of_several_parts(space, actions, factor):
    policy = tiny(actions=space)
    with torch.no_grad():  # logit n grows by n for the first map's first place
        policy.action_net.weight[:, 0] = torch.arange(len(policy.action_net.weight)).float()
    heat = grad_cam(policy, IMAGE, np.array(actions))
    assert np.allclose(heat[0], np.maximum(0, factor * 2 * IMAGE[0, 0]), atol=1e-6)


@pytest.mark.parametrize("coords", ["none", "first", "all"])
@pytest.mark.parametrize(
    ("backbone", "head", "size", "maps"),
    [
        ("nature", "flatten", 84, 7),
        ("nature", "pool", 84, 7),
        ("impala", "spatial-softmax", 84, 11),
        ("minatar", "flatten", 10, 8),
    ],
)
def test_every_backbone_and_head_as_autograd_says(backbone, head, size, maps, coords):
    space = spaces.Box(0, 255, (4, size, size), np.uint8)
    kwargs = {"backbone": backbone, "head": head, "coords": coords}
    torch.manual_seed(0)
    policy = CoordConvPolicy(
        space, spaces.Discrete(4), lambda _: 1e-3, features_extractor_kwargs=kwargs
    )
    images = np.random.default_rng(0).integers(0, 256, (3, *space.shape), dtype=np.uint8)
    actions = np.array([2, 0, 3])
    found = grad_cam(policy, images, actions)
    assert all(parameter.grad is None for parameter in policy.parameters())
    extractor = policy.features_extractor
    assert isinstance(extractor, CoordConvExtractor)
    heads = {"flatten": 1, "pool": 2, "spatial-softmax": 1}[head]
    below, above = extractor.cnn[:-heads], extractor.cnn[-heads:]
    last = below(torch.from_numpy(images) / 255).detach().requires_grad_()
    logits = policy.action_net(extractor.linear(above(last)))
    logits[range(3), actions].sum().backward()
    expected = (last.grad.mean((2, 3), keepdim=True) * last).sum(1).relu()
    assert found.shape == (3, maps, maps)
    assert np.allclose(found, expected.detach(), atol=1e-7)
    assert all(not module._forward_hooks for module in policy.modules())


def test_an_extractor_without_maps_is_refused():
    with pytest.raises(InputError, match="Vector has no feature maps"):
        grad_cam(tiny(Vector), IMAGE, np.array([0]))
