import numpy as np
import pytest
from gymnasium import spaces
from image_games import SPACES, Dot
from stable_baselines3.common.monitor import Monitor

from coordconv_rl.envs.image_wrappers import ByteImages, ChannelsFirst, check_actions
from coordconv_rl.errors import InputError


@pytest.mark.parametrize(("images", "channels"), [
    ("bytes_last", 3), ("bytes_first", 3), ("grey", 1), ("floats_first", 2), ("bools", 4),
])  # fmt: skip
def test_all_images_become_bytes_with_channels_first(images, channels):
    env = Monitor(Dot(images))
    env = ChannelsFirst(ByteImages(env, "dot"), env)
    assert env.observation_space == spaces.Box(0, 255, (channels, 40, 48), np.uint8)
    first, _ = env.reset(seed=3)
    assert first.dtype == np.uint8
    assert first in env.observation_space
    y = env.unwrapped.y
    expected = np.zeros((channels, 40, 48), np.uint8)
    expected[-1, y : y + 2, 0] = 255
    assert np.array_equal(first, expected)
    second = env.step(env.action_space.sample())[0]
    assert np.array_equal(np.roll(second, -1, axis=2), first)
    assert env.render().shape == (40, 48, 3)


def test_floats_are_scaled_and_rounded():
    env = ByteImages(Dot("floats_first"), "dot")
    image = np.full((2, 40, 48), -1.0, np.float32)
    image[0, 0, :4] = [-2.0, 0.0, 0.5, 1.1]  # the first and the last are out of bounds
    assert env.observation(image)[0, :4, 0].tolist() == [0, 128, 191, 255]


def test_a_stack_keeps_each_image_s_channels_together():
    stack = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    moved = ChannelsFirst._moved(stack)
    assert moved.shape == (6, 3, 4)
    assert np.array_equal(moved[4], stack[1, :, :, 1])


@pytest.mark.parametrize("space", [
    spaces.Box(0, 255, (7,), np.uint8), spaces.Discrete(3), spaces.Dict({"a": spaces.Discrete(2)}),
    spaces.Box(-np.inf, np.inf, (40, 40, 3), np.float32), spaces.Box(0, 255, (9, 9, 9), np.uint8),
])  # fmt: skip
def test_what_is_no_image_is_refused(space):
    env = Dot()
    env.observation_space = space
    with pytest.raises(InputError, match=r"dot observes .* wanted"):
        ByteImages(env, "dot")


def test_actions():
    for actions in ("discrete", "continuous"):
        check_actions(Dot(actions=actions), "dot")
    with pytest.raises(InputError, match="dot takes actions Box"):
        check_actions(Dot(actions="unbounded"), "dot")
    assert len(SPACES) == 6
