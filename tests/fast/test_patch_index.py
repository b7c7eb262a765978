from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from images import patches
from numpy.typing import NDArray
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from torch import Tensor

from coordconv_rl import AtariVecEnv, FastA2C, FastPPO
from coordconv_rl.agents.build import policy_settings
from coordconv_rl.arms import ARMS
from coordconv_rl.fast import fused
from coordconv_rl.fast import patch_convolution as distinct
from coordconv_rl.fast.patch_index import BACKWARD, EAGER, WARY, Minibatch, Repeats
from coordconv_rl.sb3 import algorithms
from coordconv_rl.sb3.policy import CoordConvPolicy
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

ENVS, STEPS, BATCH, EPOCHS = 2, 32, 32, 2
UPDATES = ENVS * STEPS // BATCH * EPOCHS
ALWAYS = (1.0, 1.0, 1.0)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def rollout() -> Tensor:
    """Return real observations, (64, 84, 84, 4), the first environment's first."""
    env = AtariVecEnv("Breakout", ENVS, seed=3)
    rng = np.random.default_rng(3)
    env.reset()
    seen = [env.step(rng.integers(env.action_space.n, size=ENVS))[0].copy() for _ in range(STEPS)]
    env.close()
    return torch.from_numpy(np.stack(seen, 1).reshape(-1, 4, 84, 84)).movedim(1, -1).contiguous()


def scattered(count: int, height: int, width: int) -> Tensor:
    """Return frames of which one pixel in some thousands changes from each to the next."""
    rng = np.random.default_rng(0)
    changes = rng.integers(1, 255, (count, height, width, 4)) * (
        rng.random((count, height, width, 4)) < 4e-4
    )
    return torch.from_numpy((changes.cumsum(0) % 256).astype(np.uint8))


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return height and width of the three convolutions' outputs."""
    found = [(height // 4 - 1, width // 4 - 1)]
    found.append(tuple((size - 4) // 2 + 1 for size in found[0]))
    return [*found, tuple(size - 2 for size in found[1])]


def layers(dtype: torch.dtype, shape: tuple[int, int], maps: int) -> list[Tensor]:
    """Return three weights and three shares, of which the first `maps` are maps."""
    draw = torch.Generator().manual_seed(1)
    kernels = [(32, 4, 8, 8), (64, 32, 4, 4), (64, 64, 3, 3)]
    scales = (1600, 22, 24)
    shares = [(1, k[0], *size) for k, size in zip(kernels, sizes(*shape), strict=True)]
    shares[maps:] = [(kernel[0],) for kernel in kernels[maps:]]
    tensors = [
        torch.randn(kernel, generator=draw, dtype=torch.float64).div(scale)
        for kernel, scale in zip(kernels, scales, strict=True)
    ]
    tensors = [one.contiguous(memory_format=torch.channels_last) for one in tensors]
    tensors += [torch.randn(one, generator=draw, dtype=torch.float64) / 5 for one in shares]
    return [one.to(dtype).requires_grad_() for one in tensors]


def plain(images: Tensor, weights: list[Tensor], shares: list[Tensor]) -> list[Tensor]:
    results = [images]
    for weight, share, stride in zip(weights, shares, (4, 2, 1), strict=False):
        results.append(fused.conv_relu(results[-1], weight, share, stride))
    return results[1:]


def both_ways(
    frames: Tensor,
    inds: NDArray[np.int64],
    dtype: torch.dtype,
    maps: int = 1,
    depth: int = 3,
    known: bool = False,
) -> list[list[Tensor]]:
    """Return outputs and gradients with repeats computed once, and by plain convolutions."""
    results = []
    images = frames[inds].movedim(-1, 1).to(dtype)
    limits = tuple(1.0 if index < depth else -1.0 for index in range(3))
    for simply in (False, True):
        tensors = layers(dtype, tuple(frames.shape[1:3]), maps)
        weights, shares = tensors[:depth], tensors[3 : 3 + depth]
        if simply:
            y = plain(images, weights, shares)[-1]
        else:
            found = Repeats(frames, inds, limits)
            batch = found.whole() if known else found.minibatch(inds)
            assert batch is not None
            assert len(batch.layers) == depth
            before = plain(images, weights, shares) if known else None
            y = distinct.convolutions(batch, weights, shares, before)
        draw = torch.Generator().manual_seed(2)
        to_y = torch.randn(y.shape, generator=draw, dtype=torch.float64).to(dtype)
        y.backward(to_y)
        results.append([y.detach(), *(one.grad for one in (*weights, *shares))])
    return results


def assert_all_close(results: list[list[Tensor]]) -> None:
    for found, expected in zip(*results, strict=True):
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("maps", [0, 1, 3])
def test_outputs_and_gradients_are_those_of_plain_convolutions(rollout, maps, depth):
    inds = np.random.default_rng(0).permutation(len(rollout))[:24]
    assert_all_close(both_ways(rollout, inds, torch.float64, maps, depth))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_gradients_where_the_outputs_are_known(rollout, depth):
    inds = np.arange(len(rollout))
    assert_all_close(both_ways(rollout, inds, torch.float64, depth=depth, known=True))


@pytest.mark.parametrize("shape", [(36, 36), (44, 40), (40, 84), (52, 48), (84, 84)])
def test_any_size_that_fits(shape):
    frames = scattered(40, *shape)
    assert Repeats.fits(frames)
    assert_all_close(both_ways(frames, np.arange(40), torch.float64, maps=3))


def test_an_image_that_comes_twice_in_a_minibatch(rollout):
    inds = np.array([5, 2, 5, 5, 40])
    assert_all_close(both_ways(rollout, inds, torch.float64))


def test_bfloat16_gradients_are_as_close_to_the_truth_as_plain_ones(rollout):
    inds = np.arange(0, len(rollout), 2)
    truth = both_ways(rollout, inds, torch.float64)[1]
    ours, simple = both_ways(rollout, inds, torch.bfloat16)
    for index, expected in enumerate(truth):
        errors = [(one[index].double() - expected).norm() for one in (ours, simple)]
        assert errors[0] < 1.2 * errors[1] + 1e-3 * expected.norm(), index


@pytest.mark.parametrize(
    "shape",
    [(3, 84, 84, 3), (3, 84, 84, 1), (3, 83, 84, 4), (3, 84, 82, 4), (3, 32, 84, 4)],
)
def test_other_frames_do_not_fit(shape):
    assert not Repeats.fits(torch.zeros(shape, dtype=torch.uint8))
    assert not Repeats.fits(torch.zeros(84, 3, 84, 4, dtype=torch.uint8).transpose(0, 1))


def test_distinct_patches_counted_by_hand():
    frames = torch.zeros(4, 84, 84, 4, dtype=torch.uint8)
    frames[1, 0, 0, 2] = frames[3, 0, 0, 2] = 7  # the first position of each convolution sees it
    frames[2:, 40, 40, 0] = 9  # at lines and columns 9 and 10, then 3 to 5, then 1 to 5
    inds = np.array([3, 1, 0])
    batch = Repeats(frames, inds, ALWAYS).minibatch(inds)
    assert batch is not None
    lower, upper, third = batch.layers
    assert [len(layer.first) for layer in batch.layers] == [400 + 1 + 4, 81 + 1 + 9, 49 + 1 + 25]
    assert batch.pixels.shape == (405, 256)
    assert upper.uses.shape == (75, 9)
    assert third.uses.shape == (3, 49)
    assert third.uses[0, 0] == third.uses[1, 0] != third.uses[2, 0]
    assert third.uses[0, 48] == third.uses[1, 48] == third.uses[2, 48]
    pixels = [batch.pixels[lower.uses[upper.uses[third.uses[image, 0], 0], 0]] for image in (1, 2)]
    assert pixels[0].nonzero()[0].tolist() == [2]
    assert not pixels[1].any()
    assert lower.positions[lower.uses[upper.uses[third.uses[1, 0], 0], 0]] == 0
    seen = batch.pixels[lower.positions == 10 * 20 + 10]
    assert sorted(row.nonzero()[0].tolist() for row in seen) == [[], [0]]


def test_where_hardly_anything_comes_again_convolutions_are_plain():
    noise = torch.randint(256, (16, 84, 84, 4), generator=torch.Generator().manual_seed(0))
    for inds in (np.arange(8), np.arange(1)):
        found = Repeats(noise.to(torch.uint8), inds, EAGER)
        assert found.minibatch(inds) is None
        assert found.whole() is None


def test_each_convolution_has_its_limit(rollout):
    inds = np.arange(0, len(rollout), 2)
    batch = Repeats(rollout, inds, ALWAYS).minibatch(inds)
    assert batch is not None
    counts = [len(layer.first) for layer in batch.layers]
    places = [len(inds) * layer.shape[0] * layer.shape[1] for layer in batch.layers]
    shares = [count / place for count, place in zip(counts, places, strict=True)]
    for depth in range(4):
        limits = [share + (1e-9 if i < depth else -1e-9) for i, share in enumerate(shares)]
        found = Repeats(rollout, inds, (limits[0], limits[1], limits[2])).minibatch(inds)
        assert (len(found.layers) if found is not None else 0) == depth


def make(
    algorithm: type[PPO] = FastPPO,
    arm: str = "coordconv",
    precision: str = "float32",
    **options: Any,
) -> PPO:
    env = options.pop("env", None) or AtariVecEnv("Breakout", ENVS, seed=4)
    backbone = options.pop("backbone", "nature")
    policy, kwargs = policy_settings(ARMS[arm], seed=4, precision=precision, backbone=backbone)
    kwargs["share_features_extractor"] = options.pop("share", True)
    settings: dict[str, Any] = {
        "rollout_buffer_class": DeviceRolloutBuffer,
        "n_steps": STEPS,
        "batch_size": BATCH,
        "n_epochs": EPOCHS,
        "learning_rate": 2.5e-4,
        "ent_coef": 0.01,
    }
    return algorithm(policy, env, seed=4, policy_kwargs=kwargs, **settings | options)


def weights(model: PPO) -> dict[str, Tensor]:
    return copy.deepcopy(model.policy.state_dict())


def assert_close(found: PPO, expected: PPO, atol: float) -> None:
    for key, value in expected.policy.state_dict().items():
        torch.testing.assert_close(found.policy.state_dict()[key], value, rtol=0, atol=atol)


@pytest.fixture
def minibatches(monkeypatch):
    """Count the minibatches whose repeats were computed once."""
    seen: list[int] = []
    compute = distinct.convolutions

    def counting(batch: Minibatch, *rest: Any) -> Tensor:
        seen.append(len(batch.layers[-1].uses))
        return compute(batch, *rest)

    monkeypatch.setattr(distinct, "convolutions", counting)
    return seen


@pytest.mark.parametrize("arm", ["cnn", "coordconv", "coordconv-all", "shuffled"])
def test_an_iteration_in_float32_gives_sb3s_own_weights(arm, minibatches):
    theirs = make(PPO, arm)
    begin = weights(theirs)
    theirs.learn(ENVS * STEPS)
    assert not minibatches
    ours = make(FastPPO, arm).learn(ENVS * STEPS)
    assert minibatches == [BATCH] * UPDATES
    assert np.array_equal(ours.rollout_buffer.actions, theirs.rollout_buffer.actions)
    assert_close(ours, theirs, 1e-5)
    for key, value in weights(ours).items():
        assert not torch.equal(value, begin[key]), f"{key} did not move"
    assert ours._n_updates == theirs._n_updates
    names = ["explained_variance", "entropy_loss", "policy_gradient_loss", "value_loss", "loss"]
    logged = [model.logger.name_to_value for model in (ours, theirs)]
    for name in [*names, "approx_kl", "clip_fraction"]:
        assert logged[0][f"train/{name}"] == pytest.approx(logged[1][f"train/{name}"], abs=1e-4)
    assert logged[0].keys() == logged[1].keys()


def test_what_draws_from_numpys_generator_sees_what_it_would_with_sb3():
    after = []
    for algorithm in (PPO, FastPPO):
        make(algorithm).learn(ENVS * STEPS)
        after.append(np.random.random())
    assert after[0] == after[1]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_same_seed_same_weights_byte_for_byte(precision, minibatches):
    first, second = (weights(make(precision=precision).learn(128)) for _ in range(2))
    assert len(minibatches) == 4 * UPDATES
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_minibatch_in_bfloat16_gives_the_gradient_of_sb3s_class():
    gradients = []
    for algorithm in (FastPPO, PPO):
        model = make(algorithm, precision="bfloat16", batch_size=ENVS * STEPS, n_epochs=1)
        model.learn(ENVS * STEPS)
        gradients.append(torch.cat([p.grad.flatten() for p in model.policy.parameters()]))
    assert torch.cosine_similarity(*gradients, dim=0) > 0.999
    torch.testing.assert_close(gradients[0].norm(), gradients[1].norm(), rtol=1e-2, atol=0)


@pytest.mark.parametrize(
    "options",
    [
        {"backbone": "impala"},
        {"arm": "coordconv-actor"},
        {"share": False},
        {"rollout_buffer_class": RolloutBuffer},
    ],
)
def test_other_networks_and_buffers_train_as_in_sb3(options, minibatches):
    ours = make(FastPPO, n_epochs=1, **options).learn(ENVS * STEPS)
    assert not minibatches
    assert_close(ours, make(PPO, n_epochs=1, **options).learn(ENVS * STEPS), 0)


@pytest.mark.parametrize("shape", [(3, 44, 40), (4, 45, 40)])
def test_images_that_do_not_fit_train_as_in_sb3(shape, minibatches):
    ours, theirs = (make(one, env=patches(shape=shape)).learn(128) for one in (FastPPO, PPO))
    assert not minibatches
    assert_close(ours, theirs, 0)


def test_only_the_minibatch_itself_is_taken_for_it(minibatches):
    model = make().learn(ENVS * STEPS)
    policy, buffer = model.policy, model.rollout_buffer
    minibatches.clear()
    np.random.seed(0)
    plain = next(buffer.get(BATCH))
    policy.rollout, buffer.find_repeats = buffer, ALWAYS
    np.random.seed(0)
    sample = next(buffer.get(BATCH))
    assert sample.observations.shape == plain.observations.shape
    assert sample.observations.is_meta
    assert torch.equal(sample.advantages, plain.advantages)
    actions = sample.actions.long().flatten()
    one = policy.evaluate_actions(sample.observations, actions)
    assert minibatches == [BATCH]
    other = policy.evaluate_actions(plain.observations, actions)
    assert minibatches == [BATCH]
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    buffer.reset()
    assert buffer.repeats_of(sample.observations) is None


class Looking(CoordConvPolicy):
    """A policy that wants to see the images it is trained on."""

    def evaluate_actions(self, obs: Any, actions: Tensor) -> Any:
        assert int(obs.max()) > 0
        return super().evaluate_actions(obs, actions)


@pytest.mark.parametrize("algorithm", [FastPPO, FastA2C])
def test_a_policy_that_looks_at_images_sees_them(algorithm, minibatches):
    env = AtariVecEnv("Breakout", ENVS, seed=4)
    model = algorithm(Looking, env, n_steps=STEPS, rollout_buffer_class=DeviceRolloutBuffer)
    model.learn(ENVS * STEPS)
    assert not minibatches


@pytest.mark.parametrize(
    ("precision", "threads", "tiles", "limits"),
    [
        ("bfloat16", 1, False, EAGER),
        ("bfloat16", 1, True, WARY),
        ("bfloat16", 2, False, WARY),
        ("float32", 1, False, WARY),
        ("bfloat16", 3, False, None),
    ],
)
def test_repeats_are_sought_where_that_is_faster(
    precision, threads, tiles, limits, minibatches, monkeypatch
):
    monkeypatch.setattr(algorithms, "has_matrix_unit", lambda: tiles)
    torch.set_num_threads(threads)
    model = make(precision=precision, n_epochs=1)
    assert algorithms._limits(model.policy) == limits
    model.learn(ENVS * STEPS)
    assert bool(minibatches) == (limits is not None)
    assert model.rollout_buffer.find_repeats is None


A2C_STEPS, A2C_UPDATES = 16, 3


def updated(algorithm: type[A2C], precision: str, arm: str = "coordconv") -> dict[str, Tensor]:
    env = AtariVecEnv("Breakout", ENVS, seed=4)
    policy, kwargs = policy_settings(ARMS[arm], seed=4, precision=precision, algo="a2c")
    buffer = DeviceRolloutBuffer
    settings: dict[str, Any] = {"n_steps": A2C_STEPS, "ent_coef": 0.01, "seed": 4}
    model = algorithm(policy, env, policy_kwargs=kwargs, rollout_buffer_class=buffer, **settings)
    return weights(model.learn(ENVS * A2C_STEPS * A2C_UPDATES))


@pytest.mark.parametrize("arm", ["cnn", "coordconv", "coordconv-all"])
def test_a2c_in_float32_gives_sb3s_own_weights(arm, minibatches):
    theirs = updated(A2C, "float32", arm)
    assert not minibatches
    ours = updated(FastA2C, "float32", arm)
    assert minibatches == [ENVS * A2C_STEPS] * A2C_UPDATES
    for key, value in theirs.items():
        torch.testing.assert_close(ours[key], value, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("precision", "usual"), [("bfloat16", EAGER), ("float32", WARY)])
def test_a2c_is_warier_for_it_gains_less(precision, usual, minibatches, monkeypatch):
    asked = []
    find = DeviceRolloutBuffer.repeats
    monkeypatch.setattr(
        DeviceRolloutBuffer,
        "repeats",
        lambda buffer, limits: asked.append(limits) or find(buffer, limits),
    )
    monkeypatch.setattr(algorithms, "has_matrix_unit", lambda: False)
    updated(FastA2C, precision)
    assert asked == [tuple(map(min, usual, BACKWARD))] * A2C_UPDATES
    minibatches.clear()
    monkeypatch.setattr(algorithms, "BACKWARD", (0.0, 0.0, 0.0))
    updated(FastA2C, precision)
    assert not minibatches


def test_a2c_same_seed_same_weights_byte_for_byte(minibatches):
    first, second = (updated(FastA2C, "bfloat16") for _ in range(2))
    assert len(minibatches) == 2 * A2C_UPDATES
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_new_rollout_is_looked_at_anew(minibatches):
    model = make().learn(2 * ENVS * STEPS)
    assert len(minibatches) == 2 * UPDATES
    assert model.policy.rollout is None
    assert model.rollout_buffer.find_repeats is None
    model.rollout_buffer.reset()
    assert model.rollout_buffer._repeats is None
