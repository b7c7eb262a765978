"""The prepared network computes what its modules do, flat and pooled."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from gymnasium import spaces
from played import breakout
from torch import Tensor

from coordconv_rl import CoordConvExtractor
from coordconv_rl.fast import Computation, Observations, PatchIndex, known_layers, network

SPACE = spaces.Box(0, 255, (4, 84, 84), np.uint8)
HEADS = pytest.mark.parametrize("head", ["flatten", "pool"])


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def made(head: str, coords: str = "first") -> CoordConvExtractor:
    torch.manual_seed(0)
    return CoordConvExtractor(SPACE, 32, coords=coords, head=head)


def prepared(extractor: CoordConvExtractor, frames: Tensor, **options) -> network.Network:
    images = Observations(frames.shape, frames.dtype, frames.device)
    layers = known_layers(extractor.cnn, extractor.linear, images)
    acting = options.pop("acting", False)
    settings = {"dtype": torch.float32} | options
    found = network.prepare(layers, Computation(frames.shape[2:], **settings))
    return network.for_acting(found) if acting else found


@HEADS
@pytest.mark.parametrize("coords", ["none", "first", "all"])
@pytest.mark.parametrize("acting", [False, True])
def test_features_and_gradients_are_the_modules(head, coords, acting):
    extractor, frames = made(head, coords), breakout()[::16].movedim(-1, 1)
    expected = extractor(frames.float() / 255)
    expected.square().sum().backward()
    slopes = {name: p.grad.clone() for name, p in extractor.named_parameters()}
    extractor.zero_grad()
    with torch.set_grad_enabled(not acting):
        found = network.features(prepared(extractor, frames, acting=acting), frames)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    if acting:
        return
    found.square().sum().backward()
    for name, p in extractor.named_parameters():
        torch.testing.assert_close(p.grad, slopes[name], rtol=1e-3, atol=1e-4 * slopes[name].max())


@HEADS
def test_pooled_or_not_patches_and_known_outputs_serve(head):
    extractor, frames = made(head), breakout()[:32]
    images = frames.movedim(-1, 1)
    net = prepared(extractor, images)
    with torch.no_grad():
        known = network.outputs(net, images)
    patches = PatchIndex(frames, np.arange(32), (1.0, 1.0, 1.0)).whole()
    results = []
    for compute in (
        lambda net: network.features(net, images),
        lambda net: network.features(net, images, known),
        lambda net: network.patch_features(net, patches, lambda: images),
        lambda net: network.patch_features(net, patches, lambda: images, known),
    ):
        extractor.zero_grad()
        found = compute(prepared(extractor, images))
        found.sum().backward()
        results.append([found.detach(), *(p.grad.clone() for p in extractor.parameters())])
    for other in results[1:]:
        for a, b in zip(other, results[0], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4 * float(b.abs().max()))


@HEADS
def test_features_without_coordinates_are_those_of_zero_weights(head):
    extractor, images = made(head), breakout()[::16].movedim(-1, 1)
    blind = copy.deepcopy(extractor)
    torch.nn.init.zeros_(blind.cnn[0].coord_weight)
    networks = [prepared(extractor, images, is_blind=is_blind) for is_blind in (False, True)]
    actor, critic = network.split_features(*networks, images)
    for found, module in ((actor, extractor), (critic, blind)):
        torch.testing.assert_close(found, module(images.float() / 255), rtol=1e-5, atol=1e-5)


def test_images_that_are_not_divided():
    extractor, images = made("flatten"), breakout()[::16].movedim(-1, 1)
    found = network.features(prepared(extractor, images, scale=1.0), images)
    torch.testing.assert_close(found, extractor(images.float()), rtol=1e-4, atol=1e-3)
