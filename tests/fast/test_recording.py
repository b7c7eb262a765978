"""What acting computed in a rollout is used again where it is what the update would compute."""

from __future__ import annotations

import pytest
import torch
from nature_layers import FLOAT, FRAMES, SIZE, column, made, one_small_number, recorded

from coordconv_rl.fast import (
    ActingCache,
    Computation,
    KnownLayers,
    Recorded,
    features,
    prepare,
)


@torch.no_grad()
def test_a_recording_joins_the_steps_of_each_environment():
    layers, cache = made(), ActingCache()
    steps = [FRAMES, FRAMES.flip(0), FRAMES.flip(2)]
    with recorded(cache, 3) as recording:
        for frames in steps:
            own = frames.clone()
            cache.features(layers, FLOAT, own, noted=True)
            cache.features(layers, FLOAT, own, noted=False)
            own.zero_()  # environments write into their images again
    cache.features(layers, FLOAT, FRAMES, noted=True)  # not recorded any more
    joined = recording.join(layers.weights, lambda step, shown: torch.equal(shown, steps[step]))
    expected = [cache.features(layers, FLOAT, f, noted=False) for f in steps]
    rows = torch.stack(expected, 1).flatten(0, 1)
    *maps, last = joined.take(layers, FLOAT)[1]
    assert torch.equal(last, rows)
    assert [y.shape[:2] for y in maps] == [(6, 32), (6, 64), (6, 64)]
    assert joined.take(layers, Computation(SIZE, torch.float32, scale=1.0))[1] is None
    assert recording.join(layers.weights, lambda step, shown: step < 2) is None
    column(layers)
    assert joined.take(layers, FLOAT)[1] is None
    assert recording.join(layers.weights, lambda step, shown: True) is None


def recorded_pass(layers: KnownLayers, computation: Computation) -> Recorded:
    cache = ActingCache()
    with torch.no_grad(), recorded(cache, 1) as recording:
        cache.features(layers, computation, FRAMES, noted=True)
    joined = recording.join(layers.weights, lambda step, shown: True)
    assert joined is not None
    return joined


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_update_learns_with_the_weights_that_acted_once(dtype):
    layers = made()
    computation = Computation(SIZE, dtype)
    joined = recorded_pass(layers, computation)
    with torch.no_grad():
        without, _ = recorded_pass(layers, computation).take(layers, computation)
        assert not without.bias.requires_grad or dtype == torch.float32
    results = []
    for network in (prepare(layers, computation), *(
        joined.take(layers, computation)[0] for _ in range(2)
    )):  # fmt: skip
        for weight in layers.weights:
            weight.grad = None
        features(network, FRAMES).sum().backward()
        results.append([weight.grad.clone() for weight in layers.weights])
    for other in results[1:]:
        assert all(map(torch.equal, other, results[0]))


def test_what_is_frozen_after_acting_gets_no_gradient():
    layers = made()
    joined = recorded_pass(layers, FLOAT)
    layers.convolutions[1].weight.requires_grad_(False)
    network, known = joined.take(layers, FLOAT)
    assert known is None
    features(network, FRAMES).sum().backward()
    assert layers.convolutions[1].weight.grad is None
    assert layers.convolutions[0].weight.grad is not None


@torch.no_grad()
@pytest.mark.parametrize("passes", [0, 1, 3])
def test_more_or_fewer_passes_than_steps_are_no_rollout(passes):
    layers, cache = made(), ActingCache()
    with recorded(cache, 2) as recording:
        for _ in range(passes):
            cache.features(layers, FLOAT, FRAMES, noted=True)
    assert recording.join(layers.weights, lambda step, shown: True) is None
    assert recording._steps is None or len(recording._steps) < 2


@torch.no_grad()
def test_weights_that_change_in_a_rollout_end_its_recording():
    layers, cache = made(), ActingCache()
    with recorded(cache, 2) as recording:
        cache.features(layers, FLOAT, FRAMES, noted=True)
        one_small_number(layers)
        cache.features(layers, FLOAT, FRAMES, noted=True)
    assert recording.join(layers.weights, lambda step, shown: True) is None
