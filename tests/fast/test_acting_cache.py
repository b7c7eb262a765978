"""Weights prepared once for acting, and recordings that end and notice what changed."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from gymnasium import spaces

from coordconv_rl import CoordConvExtractor
from coordconv_rl.fast import ActingCache, Computation, KnownLayers, Observations, known_layers
from coordconv_rl.fast.acting_cache import LARGE, SAMPLED, WeightsSeen

SPACE = spaces.Box(0, 255, (4, 84, 84), np.uint8)
SIZE = torch.Size((84, 84))
FRAMES = torch.randint(256, (2, 4, 84, 84), dtype=torch.uint8)
FLOAT = Computation(SIZE, torch.float32)


def made() -> KnownLayers:
    torch.manual_seed(0)
    extractor = CoordConvExtractor(SPACE)
    images = Observations(FRAMES.shape, FRAMES.dtype, FRAMES.device)
    return known_layers(extractor.cnn, extractor.linear, images)


def row(layers: KnownLayers) -> None:
    layers.linear.weight.data[300] = 0


def column(layers: KnownLayers) -> None:
    layers.linear.weight.data[:, 3000] = 0


def one_number(layers: KnownLayers) -> None:
    with torch.no_grad():
        layers.linear.weight[0, 1] = 7


def one_small_number(layers: KnownLayers) -> None:
    layers.convolutions[2].weight.data[63, 5, 1, 1] += 1


def replaced(layers: KnownLayers) -> None:
    layers.linear.weight = torch.nn.Parameter(layers.linear.weight.detach().clone())


def other_memory(layers: KnownLayers) -> None:
    layers.linear.weight.data = layers.linear.weight.data.clone()


def optimizer(layers: KnownLayers) -> None:
    layers.linear.weight.grad = torch.ones_like(layers.linear.weight)
    torch.optim.Adam([layers.linear.weight], fused=True).step()


@pytest.mark.parametrize(
    "change", [row, column, one_number, one_small_number, replaced, other_memory, optimizer]
)
def test_changes_of_weights_are_seen(change):
    layers = made()
    seen = WeightsSeen(layers.weights)
    assert seen.are_still(layers.weights)
    change(layers)
    assert not seen.are_still(layers.weights)
    assert WeightsSeen(layers.weights).are_still(layers.weights)


def test_each_row_and_column_of_the_large_weight_is_sampled():
    weight = made().linear.weight
    assert weight.numel() > LARGE
    rows, columns = np.divmod(np.arange(0, weight.numel(), SAMPLED), weight.shape[1])
    assert len(np.unique(rows)) == weight.shape[0]
    assert len(np.unique(columns)) == weight.shape[1]


@torch.no_grad()
def test_networks_are_prepared_once_for_each_computation():
    layers, cache = made(), ActingCache()
    first = cache.get(layers, FLOAT)
    assert cache.get(layers, FLOAT) is first
    blind = cache.get(layers, Computation(SIZE, torch.float32, is_blind=True))
    assert blind is not first is cache.get(layers, FLOAT)
    assert cache.get(layers, Computation(SIZE, torch.float32, scale=1.0)) is not first
    again = cache.get(layers, FLOAT)
    with torch.inference_mode():
        assert cache.get(layers, FLOAT) is not again
    row(layers)
    assert torch.equal(cache.get(layers, FLOAT).weight[300], torch.zeros(3136))
    for other in (copy.deepcopy(cache), pickle.loads(pickle.dumps(cache))):
        assert not other._prepared
    cache.clear()
    assert not cache._prepared


@torch.no_grad()
def test_a_recording_joins_the_steps_of_each_environment():
    layers, cache = made(), ActingCache()
    steps = [FRAMES, FRAMES.flip(0), FRAMES.flip(2)]
    with cache.recording(3) as recording:
        for frames in steps:
            own = frames.clone()
            cache.features(layers, FLOAT, own, noted=True)
            cache.features(layers, FLOAT, own, noted=False)
            own.zero_()  # environments write into their images again
    cache.features(layers, FLOAT, FRAMES, noted=True)  # not recorded any more
    recorded = recording.join(layers.weights, lambda step, shown: torch.equal(shown, steps[step]))
    expected = [cache.features(layers, FLOAT, f, noted=False) for f in steps]
    rows = torch.stack(expected, 1).flatten(0, 1)
    assert torch.equal(recorded.outputs[-1], rows)
    assert [y.shape[:2] for y in recorded.outputs[:-1]] == [(6, 32), (6, 64), (6, 64)]
    assert recorded.is_of(cache.get(layers, FLOAT))
    assert not recorded.is_of(cache.get(layers, Computation(SIZE, torch.float32, scale=1.0)))
    assert recording.join(layers.weights, lambda step, shown: step < 2) is None
    column(layers)
    assert not recorded.is_of(cache.get(layers, FLOAT))
    assert recording.join(layers.weights, lambda step, shown: True) is None


@torch.no_grad()
@pytest.mark.parametrize("passes", [0, 1, 3])
def test_more_or_fewer_passes_than_steps_are_no_rollout(passes):
    layers, cache = made(), ActingCache()
    with cache.recording(2) as recording:
        for _ in range(passes):
            cache.features(layers, FLOAT, FRAMES, noted=True)
    assert recording.join(layers.weights, lambda step, shown: True) is None
    assert recording._steps is None or len(recording._steps) < 2


@torch.no_grad()
def test_weights_that_change_in_a_rollout_end_its_recording():
    layers, cache = made(), ActingCache()
    with cache.recording(2) as recording:
        cache.features(layers, FLOAT, FRAMES, noted=True)
        one_small_number(layers)
        cache.features(layers, FLOAT, FRAMES, noted=True)
    assert recording.join(layers.weights, lambda step, shown: True) is None


def test_a_recording_ends_with_an_error_too():
    cache = ActingCache()
    with pytest.raises(KeyError), cache.recording(2):
        raise KeyError
    assert cache._recording is None
