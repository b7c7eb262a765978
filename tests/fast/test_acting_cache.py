"""Weights prepared once for acting, and recordings that end and notice what changed."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from coordconv_rl import CoordConvExtractor
from coordconv_rl.fast import (
    ActingCache,
    Computation,
    KnownLayers,
    Network,
    Observations,
    Recorded,
    acting_cache,
    features,
    known_layers,
    prepare,
)

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


def one_small_number(layers: KnownLayers) -> None:
    layers.convolutions[2].weight.data[63, 5, 1, 1] += 1


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
        assert not other._own.prepared
    cache.clear()
    assert not cache._own.prepared


@torch.no_grad()
def test_a_recording_joins_the_steps_of_each_environment():
    layers, cache = made(), ActingCache()
    steps = [FRAMES, FRAMES.flip(0), FRAMES.flip(2)]
    with cache.recording(3, Tensor.clone) as recording:
        for frames in steps:
            own = frames.clone()
            cache.features(layers, FLOAT, own, noted=True)
            cache.features(layers, FLOAT, own, noted=False)
            own.zero_()  # environments write into their images again
    cache.features(layers, FLOAT, FRAMES, noted=True)  # not recorded any more
    recorded = recording.join(layers.weights, lambda step, shown: torch.equal(shown, steps[step]))
    expected = [cache.features(layers, FLOAT, f, noted=False) for f in steps]
    rows = torch.stack(expected, 1).flatten(0, 1)
    *maps, last = recorded.take(layers, FLOAT)[1]
    assert torch.equal(last, rows)
    assert [y.shape[:2] for y in maps] == [(6, 32), (6, 64), (6, 64)]
    assert recorded.take(layers, Computation(SIZE, torch.float32, scale=1.0))[1] is None
    assert recording.join(layers.weights, lambda step, shown: step < 2) is None
    column(layers)
    assert recorded.take(layers, FLOAT)[1] is None
    assert recording.join(layers.weights, lambda step, shown: True) is None


def recorded_pass(layers: KnownLayers, computation: Computation) -> Recorded:
    cache = ActingCache()
    with torch.no_grad(), cache.recording(1, Tensor.clone) as recording:
        cache.features(layers, computation, FRAMES, noted=True)
    recorded = recording.join(layers.weights, lambda step, shown: True)
    assert recorded is not None
    return recorded


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_update_learns_with_the_weights_that_acted_once(dtype):
    layers = made()
    computation = Computation(SIZE, dtype)
    recorded = recorded_pass(layers, computation)
    with torch.no_grad():
        without, _ = recorded_pass(layers, computation).take(layers, computation)
        assert not without.bias.requires_grad or dtype == torch.float32
    results = []
    for network in (prepare(layers, computation), *(
        recorded.take(layers, computation)[0] for _ in range(2)
    )):  # fmt: skip
        for weight in layers.weights:
            weight.grad = None
        features(network, FRAMES).sum().backward()
        results.append([weight.grad.clone() for weight in layers.weights])
    for other in results[1:]:
        assert all(map(torch.equal, other, results[0]))


def test_what_is_frozen_after_acting_gets_no_gradient():
    layers = made()
    recorded = recorded_pass(layers, FLOAT)
    layers.convolutions[1].weight.requires_grad_(False)
    network, known = recorded.take(layers, FLOAT)
    assert known is None
    features(network, FRAMES).sum().backward()
    assert layers.convolutions[1].weight.grad is None
    assert layers.convolutions[0].weight.grad is not None


@torch.no_grad()
def test_only_steps_of_a_rollout_depend_on_each_other(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    layers, cache, frames = made(), ActingCache(), FRAMES.clone()
    for noted in (True, False, True):
        frames[0, 0, 40, 40] += 1
        with cache.recording(1, Tensor.clone):
            found = cache.features(layers, FLOAT, frames, noted=noted)
        expected = features(cache.get(layers, FLOAT), frames)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
        assert noted or torch.equal(found, expected)
    row(layers)  # other weights know nothing of these outputs
    frames[0, 0, 40, 40] += 1
    found = cache.features(layers, FLOAT, frames, noted=True)
    assert torch.equal(found, features(cache.get(layers, FLOAT), frames))


@torch.no_grad()
@pytest.mark.parametrize("passes", [0, 1, 3])
def test_more_or_fewer_passes_than_steps_are_no_rollout(passes):
    layers, cache = made(), ActingCache()
    with cache.recording(2, Tensor.clone) as recording:
        for _ in range(passes):
            cache.features(layers, FLOAT, FRAMES, noted=True)
    assert recording.join(layers.weights, lambda step, shown: True) is None
    assert recording._steps is None or len(recording._steps) < 2


@torch.no_grad()
def test_weights_that_change_in_a_rollout_end_its_recording():
    layers, cache = made(), ActingCache()
    with cache.recording(2, Tensor.clone) as recording:
        cache.features(layers, FLOAT, FRAMES, noted=True)
        one_small_number(layers)
        cache.features(layers, FLOAT, FRAMES, noted=True)
    assert recording.join(layers.weights, lambda step, shown: True) is None


def test_a_recording_ends_with_an_error_too():
    cache = ActingCache()
    with pytest.raises(KeyError), cache.recording(2, Tensor.clone):
        raise KeyError
    assert cache._own.recording is None


def in_another_thread(work: Callable[[], Any]) -> Any:
    """Call something without gradients, as an evaluation beside a training does."""

    def call() -> Any:
        with torch.no_grad():
            return work()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_acts_in_another_thread_is_no_part_of_a_rollout(dtype):
    layers, cache, steps = made(), ActingCache(), [FRAMES, FRAMES.flip(0)]
    computation = Computation(SIZE, dtype)

    def evaluate() -> Network:
        found = cache.features(layers, computation, FRAMES[:1].flip(2), noted=True)
        assert torch.equal(found, features(cache.get(layers, computation), FRAMES[:1].flip(2)))
        cache.clear()  # as SB3's `predict` does
        return cache.get(layers, computation)

    with cache.recording(2, Tensor.clone) as recording:
        for frames in steps:
            cache.features(layers, computation, frames, noted=True)
            mine = cache.get(layers, computation)
            assert in_another_thread(evaluate) is not mine is cache.get(layers, computation)
    recorded = recording.join(layers.weights, lambda step, shown: torch.equal(shown, steps[step]))
    expected = [features(prepare(layers, computation), frames) for frames in steps]
    found = recorded.take(layers, computation)[1][-1].float()
    close = {"rtol": 0, "atol": 1e-5 if dtype == torch.float32 else 2e-2}
    torch.testing.assert_close(found, torch.stack(expected, 1).flatten(0, 1), **close)
    assert cache.get(layers, computation) is not mine  # the other one's `clear` holds by now


@torch.no_grad()
def test_clearing_in_one_thread_clears_in_all():
    """For changes that are not noticed: of a few numbers of the large weight, through `.data`."""
    layers, cache = made(), ActingCache()
    with ThreadPoolExecutor(1) as pool:

        def get() -> Network:
            with torch.no_grad():
                return cache.get(layers, FLOAT)

        first = pool.submit(get).result()
        assert pool.submit(get).result() is first
        cache.clear()
        assert pool.submit(get).result() is not first


@torch.no_grad()
def test_weights_that_are_trained_while_they_are_prepared(monkeypatch):
    """By another thread: then what was prepared is of weights that are no more."""
    layers, cache = made(), ActingCache()

    def meanwhile(*args: Any) -> Network:
        made_before = prepare(*args)
        layers.convolutions[0].weight.data.mul_(2)
        return made_before

    with monkeypatch.context() as patched:
        patched.setattr(acting_cache, "prepare", meanwhile)
        cache.get(layers, FLOAT)
    found, expected = cache.get(layers, FLOAT), prepare(layers, FLOAT)
    assert torch.equal(found.convolutions[0].weight, expected.convolutions[0].weight)
