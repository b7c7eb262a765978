from __future__ import annotations

import numpy as np
import pytest
import torch
from devices import DEVICES
from gymnasium import spaces
from images import SHAPE, patches
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer

from coordconv_rl.agents.build import policy_settings
from coordconv_rl.arms import ARMS
from coordconv_rl.errors import InputError
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer, merge

SPACE = spaces.Box(0, 255, SHAPE, np.uint8)


def fill(buffer: RolloutBuffer, random: np.random.Generator) -> None:
    for _ in range(buffer.buffer_size):
        buffer.add(
            random.integers(0, 256, (3, *SHAPE), dtype=np.uint8),
            random.integers(0, 5, (3, 1)),
            random.normal(size=3),
            random.integers(0, 2, 3),
            torch.from_numpy(random.normal(size=(3, 1))),
            torch.from_numpy(random.normal(size=3)),
        )
    buffer.compute_returns_and_advantage(torch.ones(3, 1), np.array([True, False, False]))


@pytest.mark.parametrize("device", DEVICES)
def test_samples_are_sb3s(device):
    settings = {"gamma": 0.9, "gae_lambda": 0.8, "n_envs": 3}
    ours, theirs = (
        cls(4, SPACE, spaces.Discrete(5), device, **settings)
        for cls in (DeviceRolloutBuffer, RolloutBuffer)
    )
    for rollout in range(2):
        samples = []
        for buffer in (ours, theirs):
            buffer.reset()
            fill(buffer, np.random.default_rng(rollout))
            np.random.seed(rollout)
            batches = [batch for _ in range(2) for batch in buffer.get(5)]
            samples.append([*batches, *buffer.get()])
        assert len(samples[0]) == len(samples[1]) == 7
        for found, expected in zip(*samples, strict=True):
            assert found.observations.device.type == device
            assert found.observations.dtype == torch.uint8
            for a, b in zip(found, expected, strict=True):
                assert a is b is None or (a.dtype == b.dtype and torch.equal(a, b))


def test_images_lie_as_the_network_wants_them_and_minibatches_as_sb3s():
    buffer = DeviceRolloutBuffer(4, SPACE, spaces.Discrete(5), "cpu", n_envs=3)
    fill(buffer, np.random.default_rng(0))
    memory = buffer.observations.data_ptr()
    (batch,) = buffer.get(12)
    assert batch.observations.is_contiguous()
    assert buffer.observations.is_contiguous(memory_format=torch.channels_last)
    assert buffer.observations.data_ptr() == memory
    kept, before = buffer.observations, buffer.observations.clone()
    buffer.reset()
    fill(buffer, np.random.default_rng(1))
    assert torch.equal(kept, before)
    assert not torch.equal(buffer.observations, before)


@pytest.mark.parametrize("image", [(1, 8, 6), (2, 8, 6), (6, 8, 6), (8, 6)])
def test_images_of_any_number_of_channels_are_stored(image):
    buffer = DeviceRolloutBuffer(
        1, spaces.Box(0, 255, image, np.uint8), spaces.Discrete(5), "cpu", n_envs=3
    )
    frames = np.random.default_rng(0).integers(0, 256, (3, *image), dtype=np.uint8)
    zeros = torch.zeros(3)
    buffer.add(frames, np.zeros(3), np.zeros(3), np.zeros(3), zeros, zeros)
    assert np.array_equal(buffer.observations[0].numpy(), frames)


KINDS = {
    "int64": lambda x: x.astype(np.int64),
    "int32, too large": lambda x: x.astype(np.int32) + 300,
    "float32 with fractions": lambda x: x.astype(np.float32) + 0.75,
    "float64": lambda x: x.astype(np.float64),
    "bool": lambda x: x > 100,
    "int8": lambda x: (x // 2).astype(np.int8),
    "other order": np.asfortranarray,
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: x[:, ::-1],
    "a list": lambda x: x.tolist(),
    "a tensor": torch.from_numpy,
    "one for all": lambda x: x[:1],
    "read only": lambda x: np.frombuffer(x.tobytes(), np.uint8).reshape(x.shape),
}


@pytest.mark.parametrize("image", [SHAPE, (3, 8, 6), (1, 8, 6), (70, 80, 80), (8, 6)])
@pytest.mark.parametrize("kind", KINDS)
def test_images_of_any_type_are_stored_as_sb3_stores_them(kind, image):
    space = spaces.Box(0, 255, image, np.uint8)
    frames = np.random.default_rng(0).integers(0, 256, (3, *image), dtype=np.uint8)
    zeros, stored = torch.zeros(3), []
    for cls in (DeviceRolloutBuffer, RolloutBuffer):
        buffer = cls(1, space, spaces.Discrete(5), "cpu", n_envs=3)
        buffer.add(KINDS[kind](frames), np.zeros(3), np.zeros(3), np.zeros(3), zeros, zeros)
        stored.append(np.asarray(buffer.observations[0]))
    assert stored[1].any()
    assert np.array_equal(*stored)


@pytest.mark.parametrize("shape", [(3, 5, 44, 40), (3, 4, 40, 44), (4, 44, 40, 3)])
def test_images_of_another_shape_are_refused_as_by_sb3(shape):
    for cls in (DeviceRolloutBuffer, RolloutBuffer):
        buffer = cls(1, SPACE, spaces.Discrete(5), "cpu", n_envs=3)
        zeros = (np.zeros(3), np.zeros(3), np.zeros(3), torch.zeros(3), torch.zeros(3))
        with pytest.raises(ValueError, match="broadcast"):
            buffer.add(np.zeros(shape, np.uint8), *zeros)


@pytest.mark.parametrize("image", [(4, 10, 10), (4, 84, 84), (1, 84, 84), (70, 80, 80)])
def test_images_of_any_size_are_the_same_in_both_orders(image):
    images = np.random.default_rng(0).integers(0, 256, (3, *image), dtype=np.uint8)
    buffer = DeviceRolloutBuffer(
        1, spaces.Box(0, 255, image, np.uint8), spaces.Discrete(5), "cpu", n_envs=3
    )
    zeros = torch.zeros(3)
    buffer.add(images, np.zeros(3), np.zeros(3), np.zeros(3), zeros, zeros)
    snapshot = buffer.snapshot(torch.from_numpy(images))
    assert np.array_equal(snapshot.numpy(), images.transpose(0, 2, 3, 1))
    assert buffer.is_shown(0, snapshot)


def test_opencv_does_not_stay_silent():
    planes, frames = np.ones((2, 4, 8, 6), np.float32), np.zeros((2, 8, 6, 4), np.uint8)
    with pytest.raises(RuntimeError, match="float32 planes into uint8"):
        merge(planes, frames)


def test_it_tells_what_it_shows():
    buffer = DeviceRolloutBuffer(4, SPACE, spaces.Discrete(5), "cpu", n_envs=3)
    fill(buffer, np.random.default_rng(0))
    images = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), dtype=np.uint8)
    images = torch.from_numpy(images)
    shown = buffer.snapshot(images)
    assert buffer.is_shown(0, shown)
    assert not buffer.is_shown(1, shown)
    assert not buffer.is_shown(0, buffer.snapshot(images.flip(0)))
    assert not buffer.is_shown(0, buffer.snapshot(images[:2]))
    assert not buffer.is_shown(0, buffer.snapshot(images.int() + 256))
    images.zero_()  # environments write into theirs again
    next(buffer.get(5))  # the steps lie in another order from now on
    assert buffer.is_shown(0, shown)
    buffer.observations.numpy()[0] ^= 1
    assert not buffer.is_shown(0, shown)
    buffer.observations.numpy()[0] ^= 1
    assert buffer.is_shown(0, shown)
    buffer.observations = buffer.observations.clone()
    assert not buffer.is_shown(0, shown)
    assert buffer.frames() is None


def test_observations_that_are_assigned_are_what_minibatches_show():
    buffer = DeviceRolloutBuffer(4, SPACE, spaces.Discrete(5), "cpu", n_envs=3)
    for made in (np.array, torch.tensor):
        fill(buffer, np.random.default_rng(0))
        images = np.random.default_rng(1).integers(0, 256, (4, 3, *SHAPE), dtype=np.uint8)
        buffer.observations = made(images)
        (batch,) = buffer.get(12)
        rows = {image.numpy().tobytes() for image in batch.observations}
        assert rows == {image.tobytes() for image in images.reshape(12, *SHAPE)}
        buffer.reset()


@pytest.mark.parametrize("algorithm", [A2C, PPO])
def test_training_with_it_gives_the_same_weights(algorithm):
    models = []
    for buffer in (RolloutBuffer, DeviceRolloutBuffer):
        policy, kwargs = policy_settings(ARMS["coordconv"], seed=0, precision="float32")
        settings = {"n_steps": 8} | ({"batch_size": 8} if algorithm is PPO else {})
        model = algorithm(
            policy, patches(), seed=0, policy_kwargs=kwargs, rollout_buffer_class=buffer, **settings
        )
        models.append(model.learn(48).policy.state_dict())
    for key, expected in models[0].items():
        torch.testing.assert_close(models[1][key], expected, rtol=0, atol=1e-6)


@pytest.mark.gpu
def test_trains_on_a_gpu():
    policy, kwargs = policy_settings(ARMS["coordconv"], seed=0, precision="bfloat16")
    model = PPO(
        policy, patches(), n_steps=8, batch_size=8, seed=0, device="cuda", policy_kwargs=kwargs,
        rollout_buffer_class=DeviceRolloutBuffer,
    )  # fmt: skip
    model.learn(32)
    assert model.rollout_buffer.observations.is_cuda
    assert all(torch.isfinite(p).all() for p in model.policy.parameters())


@pytest.mark.parametrize(
    "space", [spaces.Box(0, 1, (3,), np.float32), spaces.Dict({"image": SPACE})]
)
def test_other_observations_are_refused(space):
    with pytest.raises(InputError, match=r"wanted uint8 images.*RolloutBuffer"):
        DeviceRolloutBuffer(4, space, spaces.Discrete(2))
