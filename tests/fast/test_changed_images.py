"""Convolutions of images that changed in places give what those of whole images give."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
import torch
from gymnasium import spaces
from played import breakout
from torch import Tensor

from coordconv_rl import CoordConvExtractor
from coordconv_rl.fast import Computation, Observations, changed_images, known_layers, network
from coordconv_rl.fast.changed_images import MOST_IMAGES, ChangedImages


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def made(shape: tuple[int, ...] = (4, 84, 84), dtype=torch.float32, **options) -> network.Network:
    torch.manual_seed(0)
    extractor = CoordConvExtractor(spaces.Box(0, 255, shape, np.uint8), 32, **options)
    images = Observations(torch.Size((1, *shape)), torch.uint8, torch.device("cpu"))
    layers = known_layers(extractor.cnn, extractor.linear, images)
    with torch.no_grad():
        found = network.prepare(layers, Computation(images.shape[2:], dtype))
    return network.for_acting(found)


@pytest.fixture
def whole(monkeypatch):
    """Count the passes that computed everything."""
    seen: list[int] = []

    def counting(*args):
        seen.append(1)
        return network.outputs(*args)

    monkeypatch.setattr("coordconv_rl.fast.changed_images.outputs", counting)
    return seen


@torch.no_grad()
def assert_same(found: tuple[Tensor, ...], net: network.Network, frames: Tensor) -> None:
    for a, b in zip(found, network.outputs(net, frames), strict=True):
        assert a.shape == b.shape
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(
    "options", [{"coords": "none"}, {}, {"coords": "all", "radius": True}, {"head": "pool"}]
)
def test_a_game_that_goes_on_is_computed_where_it_changed(options, whole):
    net = made(**options)
    latest = ChangedImages(net)
    played = breakout().movedim(-1, 1).contiguous().view(8, -1, 4, 84, 84)
    before = None
    for step in range(4):
        frames = played[:, step].contiguous()
        assert latest.is_for(net, frames)
        found = latest.outputs(frames)
        assert_same(found, net, frames)
        if before is not None:  # what a recording keeps stays as it was
            assert all(torch.equal(a, b) for a, b in zip(*before, strict=True))
        before = found, [y.clone() for y in found]
        frames.zero_()  # environments write into theirs again
    assert len(whole) == 1


@torch.no_grad()
@pytest.mark.parametrize("shape", [(4, 84, 84), (1, 44, 40), (3, 36, 88)])
def test_any_pixel_is_noticed(shape, whole):
    net = made(shape)
    latest, random = ChangedImages(net), np.random.default_rng(0)
    frames = torch.from_numpy(random.integers(0, 256, (2, *shape), dtype=np.uint8))
    latest.outputs(frames)
    corners = [(0, 0, 0), (shape[0] - 1, shape[1] - 1, shape[2] - 1), (0, shape[1] - 1, 0)]
    for place in (*corners, *zip(*(random.integers(0, n, 20) for n in shape), strict=True)):
        frames[(1, *map(int, place))] += 1
        assert_same(latest.outputs(frames), net, frames)
    assert_same(latest.outputs(frames), net, frames)  # and nothing at all
    assert len(whole) == 1


@torch.no_grad()
def test_what_is_new_is_computed_whole(whole):
    net = made()
    latest = ChangedImages(net)
    first, second = (torch.randint(256, (3, 4, 84, 84), dtype=torch.uint8) for _ in range(2))
    for count, frames in enumerate((first, second, second[:2], second[:2].flip(0)), 1):
        assert_same(latest.outputs(frames), net, frames)
        assert len(whole) == count


@torch.no_grad()
@pytest.mark.parametrize("part", ["outputs", "upper", "_parts"])
def test_a_pass_that_was_interrupted_leaves_nothing(part, monkeypatch):
    """By Ctrl-C or a want of memory, after which somebody goes on."""
    net = made()
    latest = ChangedImages(net)
    first = torch.randint(256, (2, 4, 84, 84), dtype=torch.uint8)
    latest.outputs(first)
    second = first.flip(0) if part == "outputs" else first.clone()
    second[1, 2, 40:50, 40:50] = 7
    with monkeypatch.context() as patched:
        patched.setattr(changed_images, part, Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            latest.outputs(second)
    assert_same(latest.outputs(second), net, second)


def test_it_is_for_few_images_in_float32_in_order(monkeypatch):
    net, frames = made(), torch.zeros(2, 4, 84, 84, dtype=torch.uint8)
    assert ChangedImages.is_for(net, frames)
    assert not ChangedImages.is_for(made(dtype=torch.bfloat16), frames)
    assert not ChangedImages.is_for(net, frames[:, :, ::2])
    assert not ChangedImages.is_for(net, frames.mT)
    assert not ChangedImages.is_for(net, torch.zeros(2, 4, 85, 84, dtype=torch.uint8))
    assert not ChangedImages.is_for(net, frames[:1].expand(MOST_IMAGES + 1, -1, -1, -1).clone())
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert not ChangedImages.is_for(net, frames)
