from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from images import patches
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from torch import Tensor

from coordconv_rl import AtariVecEnv, FastPPO, algorithms, fused, repeats
from coordconv_rl.arms import ARMS
from coordconv_rl.buffers import DeviceRolloutBuffer
from coordconv_rl.policies import policy_settings
from coordconv_rl.repeats import Repeats, conv_relu_twice

ENVS, STEPS, BATCH, EPOCHS = 2, 32, 32, 2
UPDATES = ENVS * STEPS // BATCH * EPOCHS


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


def layers(dtype: torch.dtype, shape: tuple[int, int], kind: str) -> list[Tensor]:
    draw = torch.Generator().manual_seed(1)
    height, width = shape
    lower = torch.randn(32, 4, 8, 8, generator=draw, dtype=torch.float64) / 16 / 100
    upper = torch.randn(64, 32, 4, 4, generator=draw, dtype=torch.float64) / 22
    shapes = {
        "biases": ((32,), (64,)),
        "map": ((1, 32, height // 4 - 1, width // 4 - 1), (64,)),
        "maps": (
            (1, 32, height // 4 - 1, width // 4 - 1),
            (1, 64, (height // 4 - 5) // 2 + 1, (width // 4 - 5) // 2 + 1),
        ),
    }[kind]
    shares = [torch.randn(one, generator=draw, dtype=torch.float64) / 5 for one in shapes]
    tensors = [lower.contiguous(memory_format=torch.channels_last)]
    tensors += [upper.contiguous(memory_format=torch.channels_last), *shares]
    return [one.to(dtype).requires_grad_() for one in tensors]


def both_ways(
    frames: Tensor, inds: Tensor, dtype: torch.dtype, kind: str = "map"
) -> list[list[Tensor]]:
    """Return outputs and gradients with repeats computed once, and by plain convolutions."""
    results = []
    seed = torch.Generator().manual_seed(2)
    for plain in (False, True):
        lower, upper, low, up = tensors = layers(dtype, tuple(frames.shape[1:3]), kind)
        if plain:
            images = frames[inds].movedim(-1, 1).to(dtype)
            y = fused.conv_relu(fused.conv_relu(images, lower, low, 4), upper, up, 2)
        else:
            batch = Repeats(frames).minibatch(inds)
            assert batch is not None
            y = conv_relu_twice(batch, (lower, upper), (low, up))
        seed.manual_seed(2)
        to_y = torch.randn(y.shape, generator=seed, dtype=torch.float64).to(dtype)
        y.backward(to_y)
        results.append([y.detach(), *(one.grad for one in tensors)])
    return results


@pytest.mark.parametrize("kind", ["biases", "map", "maps"])
def test_outputs_and_gradients_are_those_of_plain_convolutions(rollout, kind):
    inds = torch.randperm(len(rollout), generator=torch.Generator().manual_seed(0))[:24].sort()[0]
    for found, expected in zip(*both_ways(rollout, inds, torch.float64, kind), strict=True):
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(20, 20), (44, 40), (28, 84), (84, 84)])
def test_any_size_that_fits(shape):
    frames = scattered(40, *shape)
    assert Repeats.fits(frames)
    for found, expected in zip(*both_ways(frames, torch.arange(40), torch.float64), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_bfloat16_gradients_are_as_close_to_the_truth_as_plain_ones(rollout):
    inds = torch.arange(0, len(rollout), 2)
    truth = both_ways(rollout, inds, torch.float64)[1]
    ours, plain = both_ways(rollout, inds, torch.bfloat16)
    for index, expected in enumerate(truth):
        errors = [(one[index].double() - expected).norm() for one in (ours, plain)]
        assert errors[0] < 1.2 * errors[1] + 1e-3 * expected.norm(), index


@pytest.mark.parametrize(
    "shape",
    [(3, 84, 84, 3), (3, 84, 84, 1), (3, 83, 84, 4), (3, 84, 82, 4), (3, 16, 84, 4)],
)
def test_other_frames_do_not_fit(shape):
    assert not Repeats.fits(torch.zeros(shape, dtype=torch.uint8))
    assert not Repeats.fits(torch.zeros(84, 3, 84, 4, dtype=torch.uint8).transpose(0, 1))


def test_distinct_patches_counted_by_hand():
    frames = torch.zeros(4, 84, 84, 4, dtype=torch.uint8)
    frames[1:, 0, 0, 2] = 7  # seen at one position of the first convolution, one of the second
    frames[2:, 40, 40, 0] = 9  # at 2 x 2, where lines and columns are 9 and 10; at 3 x 3, 3 to 5
    batch = Repeats(frames).minibatch(torch.arange(3))
    assert batch is not None
    assert len(batch.lower.first) == 400 + 1 + 4
    assert len(batch.pixels) == len(batch.inputs) // 16 == repeats.STEP  # one size for oneDNN
    assert len(batch.upper.first) == 81 + 1 + 9
    lower = batch.lower.ids.view(400, 3)
    assert lower[0].tolist() == [0, 1, 1]
    assert lower[1].tolist() == [2, 2, 2]
    assert batch.pixels[0].sum() == 0
    assert batch.pixels[1].nonzero().tolist() == [[2]]
    changed = int(lower[10 * 20 + 10, 2])
    assert batch.pixels[changed].nonzero().tolist() == [[0]]
    skipping = Repeats(frames).minibatch(torch.tensor([0, 2, 3]))
    assert skipping is not None
    assert len(skipping.lower.first) == 400 + 1 + 4


def test_what_hardly_repeats_is_left_to_plain_convolutions():
    noise = torch.randint(256, (16, 84, 84, 4), generator=torch.Generator().manual_seed(0))
    found = Repeats(noise.to(torch.uint8))
    assert found.minibatch(torch.arange(8)) is None
    assert found.minibatch(torch.arange(1)) is None


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
    compute = repeats.conv_relu_twice

    def counting(batch: repeats.Minibatch, *rest: Any) -> Tensor:
        seen.append(batch.lower.images)
        return compute(batch, *rest)

    monkeypatch.setattr(repeats, "conv_relu_twice", counting)
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


@pytest.mark.parametrize("shape", [(4, 44, 40), (3, 44, 40), (4, 45, 40)])
def test_images_without_repeats_train_as_in_sb3_but_for_the_order(shape, minibatches):
    ours, theirs = (make(one, env=patches(shape=shape)).learn(128) for one in (FastPPO, PPO))
    assert not minibatches
    assert_close(ours, theirs, 1e-5)


def test_only_the_minibatch_itself_is_taken_for_it(minibatches):
    model = make().learn(ENVS * STEPS)
    policy, buffer = model.policy, model.rollout_buffer
    minibatches.clear()
    policy.rollout, buffer.find_repeats = buffer, True
    sample = next(buffer.get(BATCH))
    actions = sample.actions.long().flatten()
    one = policy.evaluate_actions(sample.observations, actions)
    assert minibatches == [BATCH]
    policy.evaluate_actions(sample.observations.flip(0), actions)
    other = policy.evaluate_actions(sample.observations.clone(), actions)
    assert minibatches == [BATCH]
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("precision", "threads", "tiles", "finds"),
    [
        ("float32", 1, True, True),
        ("bfloat16", 2, False, True),
        ("bfloat16", 1, True, False),
        ("float32", 3, False, False),
    ],
)
def test_repeats_are_sought_where_that_is_faster(
    precision, threads, tiles, finds, minibatches, monkeypatch
):
    monkeypatch.setattr(algorithms, "has_matrix_unit", lambda: tiles)
    torch.set_num_threads(threads)
    make(precision=precision, n_epochs=1).learn(ENVS * STEPS)
    assert bool(minibatches) == finds


def test_a_new_rollout_is_looked_at_anew(minibatches):
    model = make().learn(2 * ENVS * STEPS)
    assert len(minibatches) == 2 * UPDATES
    assert model.policy.rollout is None
    assert not model.rollout_buffer.find_repeats
    model.rollout_buffer.reset()
    assert model.rollout_buffer._repeats is None
