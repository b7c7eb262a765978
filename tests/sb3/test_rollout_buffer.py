from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from images import SHAPE, patches
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer

from coordconv_rl.agents.build import policy_settings
from coordconv_rl.arms import ARMS
from coordconv_rl.errors import InputError
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

SPACE = spaces.Box(0, 255, SHAPE, np.uint8)
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA GPU"))]  # fmt: skip


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


def test_minibatches_lie_as_the_network_wants_them():
    buffer = DeviceRolloutBuffer(4, SPACE, spaces.Discrete(5), "cpu", n_envs=3)
    fill(buffer, np.random.default_rng(0))
    memory = buffer.observations.data_ptr()
    (batch,) = buffer.get(12)
    assert batch.observations.is_contiguous(memory_format=torch.channels_last)
    assert buffer.observations.data_ptr() == memory
    buffer.reset()
    assert buffer.observations.data_ptr() == memory


@pytest.mark.parametrize("image", [(1, 8, 6), (2, 8, 6), (6, 8, 6), (8, 6)])
def test_images_of_any_number_of_channels_are_stored(image):
    buffer = DeviceRolloutBuffer(
        1, spaces.Box(0, 255, image, np.uint8), spaces.Discrete(5), "cpu", n_envs=3
    )
    frames = np.random.default_rng(0).integers(0, 256, (3, *image), dtype=np.uint8)
    zeros = torch.zeros(3)
    buffer.add(frames, np.zeros(3), np.zeros(3), np.zeros(3), zeros, zeros)
    assert np.array_equal(buffer.observations[0].numpy(), frames)


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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
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
