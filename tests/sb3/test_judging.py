"""Policies side by side: what each computes alone, in one pass where their weights are the same."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from gymnasium import spaces

from coordconv_rl.layers import CoordConv2d
from coordconv_rl.sb3 import CoordConvPolicy, Judged

SPACE = spaces.Box(0, 255, (4, 84, 84), np.uint8)


def policy(precision: str = "float32", **extractor: object) -> CoordConvPolicy:
    torch.manual_seed(2)
    made = CoordConvPolicy(
        SPACE,
        spaces.Discrete(4),
        lambda _: 1e-3,
        precision=precision,
        features_extractor_kwargs=extractor,
    )
    made.set_training_mode(False)
    with torch.no_grad():
        made.action_net.weight.mul_(100)
    return made


def changed(own: CoordConvPolicy, factor: float) -> CoordConvPolicy:
    """A copy that weighs its coordinates otherwise."""
    other = copy.deepcopy(own)
    with torch.no_grad():
        for layer in other.modules():
            if isinstance(layer, CoordConv2d):
                layer.coord_weight.mul_(factor)
    return other


def alone(own: CoordConvPolicy, images: np.ndarray) -> torch.Tensor:
    with torch.no_grad():
        return own.get_distribution(own.obs_to_tensor(images)[0]).distribution.logits


IMAGES = np.random.default_rng(0).integers(256, size=(6, 4, 84, 84), dtype=np.uint8)
WHO = np.array([0, 1, 2, 2, 0, 1])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_those_that_weigh_coordinates_otherwise_share_a_pass(precision):
    own = policy(precision)
    policies = [own, changed(own, 0.0), changed(own, -3.0)]
    judged = Judged(policies)
    assert len(judged._teams) == 1
    found = judged.logits(WHO, IMAGES)
    for place, one in enumerate(policies):
        torch.testing.assert_close(found[place == WHO], alone(one, IMAGES)[place == WHO])
    assert not torch.equal(found[WHO == 0], alone(policies[2], IMAGES)[WHO == 0])
    assert torch.equal(Judged([own]).logits(0 * WHO, IMAGES), alone(own, IMAGES))


def test_what_differs_elsewhere_is_computed_apart():
    own, other = policy(), policy()
    with torch.no_grad():
        other.action_net.bias.add_(torch.arange(4.0))
    third = changed(policy(coords="all"), 0.5)
    policies = [own, other, third]
    judged = Judged(policies)
    assert len(judged._teams) == 3
    found = judged.logits(WHO, IMAGES)
    for place, one in enumerate(policies):
        torch.testing.assert_close(found[place == WHO], alone(one, IMAGES)[place == WHO])


def test_what_the_fast_path_does_not_know_is_asked_as_ever():
    own = policy()
    hooked = copy.deepcopy(own)
    hooked.features_extractor.cnn[2].register_forward_hook(lambda module, x, y: 2 * y)
    judged = Judged([own, hooked])
    assert judged._alone == [1]
    found = judged.logits(WHO % 2, IMAGES)
    torch.testing.assert_close(found[WHO % 2 == 1], alone(hooked, IMAGES)[WHO % 2 == 1])
    assert not torch.allclose(found[WHO % 2 == 1], alone(own, IMAGES)[WHO % 2 == 1])
