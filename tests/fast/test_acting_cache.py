"""Weights prepared once for acting, and rollouts that nothing beside them changes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from nature_layers import FLOAT, FRAMES, SIZE, made, recorded, row
from torch import Tensor

from coordconv_rl.fast import (
    ActingCache,
    Computation,
    Network,
    acting_cache,
    features,
    prepare,
)


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
def test_layers_that_others_take_the_place_of_are_not_kept_for_ever():
    layers, cache = [made() for _ in range(acting_cache.KEPT_NETWORKS + 3)], ActingCache()
    for some in layers:
        cache.get(some, FLOAT)
        assert cache.get(some, FLOAT) is cache.get(some, FLOAT)
    assert len(cache._own.prepared) == 3


@torch.no_grad()
def test_only_steps_of_a_rollout_depend_on_each_other(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    layers, cache, frames = made(), ActingCache(), FRAMES.clone()
    for noted in (True, False, True):
        frames[0, 0, 40, 40] += 1
        with recorded(cache, 1):
            found = cache.features(layers, FLOAT, frames, noted=noted)
        expected = features(cache.get(layers, FLOAT), frames)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
        assert noted or torch.equal(found, expected)
    row(layers)  # other weights know nothing of these outputs
    frames[0, 0, 40, 40] += 1
    found = cache.features(layers, FLOAT, frames, noted=True)
    assert torch.equal(found, features(cache.get(layers, FLOAT), frames))


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("back", [False, True])
def test_one_number_of_the_large_weight_changes_the_next_step_and_what_is_learnt_from(dtype, back):
    """Written through `.data`, which torch does not count; and put back before training."""
    layers, cache, computation = made(), ActingCache(), Computation(SIZE, dtype)
    weight = layers.linear.weight.data
    kept = weight[300, 1001].clone()
    with recorded(cache, 3) as recording:
        for step in range(3):
            weight[300, 1001] = 50 if step == 1 else kept
            found = cache.features(layers, computation, FRAMES, noted=True)
            assert torch.equal(found, features(prepare(layers, computation), FRAMES))
    weight[300, 1001] = kept if back else 50
    joined = recording.join(layers.weights, lambda step, shown: True)
    assert joined is None or joined.take(layers, computation)[1] is None


def test_what_is_recorded_is_learnt_from_once_and_prepared_with_a_graph():
    """Also where something acted before with the same weights, and where nothing clears."""
    layers, cache = made(), ActingCache()
    for _ in range(2):
        with torch.no_grad(), recorded(cache, 1) as recording:
            cache.get(layers, FLOAT)
            cache.features(layers, FLOAT, FRAMES, noted=True)
        with torch.no_grad():
            cache.get(layers, FLOAT)
        joined = recording.join(layers.weights, lambda step, shown: True)
        network, known = joined.take(layers, FLOAT)
        layers.linear.weight.grad = None
        features(network, FRAMES, known).sum().backward()
        assert layers.linear.weight.grad.abs().sum() > 0


@torch.no_grad()
def test_what_clears_within_a_rollout_does_not_change_its_steps():
    """What is acted with beside them is new, and knows of all that changed."""
    layers, cache = made(), ActingCache()
    with recorded(cache, 2) as recording:
        cache.features(layers, FLOAT, FRAMES, noted=True)
        first = cache.get(layers, FLOAT)
        cache.clear()
        assert cache.get(layers, FLOAT) is not first
        cache.features(layers, FLOAT, FRAMES, noted=True)
    assert recording.join(layers.weights, lambda step, shown: True) is not None


@torch.no_grad()
def test_a_rollout_goes_on_after_one_in_its_midst_and_without_other_images(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    layers, cache, frames = made(), ActingCache(), FRAMES.clone()
    others, steps = FRAMES.flip(2), []

    def is_step(images: Tensor) -> bool:
        return images is frames

    for is_disturbed in (False, True):
        frames.copy_(FRAMES)
        with recorded(cache, 3, is_step) as recording:
            for _ in range(3):
                frames[0, 0, 40, 40] += 1
                steps.append(cache.features(layers, FLOAT, frames, noted=True))
                if is_disturbed:
                    found = cache.features(layers, FLOAT, others, noted=True)
                    assert torch.equal(found, features(cache.get(layers, FLOAT), others))
                    with recorded(cache, 1):
                        cache.clear()  # as SB3 does when it begins
                        cache.features(layers, FLOAT, others.flip(0), noted=True)
        assert recording.join(layers.weights, lambda step, shown: True) is not None
        cache.clear()
    assert all(map(torch.equal, steps[:3], steps[3:]))


def test_a_recording_ends_with_an_error_too():
    cache = ActingCache()
    with pytest.raises(KeyError), recorded(cache, 2):
        raise KeyError
    assert cache._own.rollout is None


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
        cache.clear()
        return cache.get(layers, computation)

    with recorded(cache, 2) as recording:
        for frames in steps:
            cache.features(layers, computation, frames, noted=True)
            mine = cache.get(layers, computation)
            assert in_another_thread(evaluate) is not mine is cache.get(layers, computation)
    joined = recording.join(layers.weights, lambda step, shown: torch.equal(shown, steps[step]))
    expected = [features(prepare(layers, computation), frames) for frames in steps]
    found = joined.take(layers, computation)[1][-1].float()
    close = {"rtol": 0, "atol": 1e-5 if dtype == torch.float32 else 2e-2}
    torch.testing.assert_close(found, torch.stack(expected, 1).flatten(0, 1), **close)
    assert cache.get(layers, computation) is not mine  # the other one's `clear` holds by now


@torch.no_grad()
def test_clearing_in_one_thread_clears_in_all():
    """As training begins, in which what was prepared would only need room."""
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
