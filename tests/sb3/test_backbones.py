"""What images the backbones take, and what their maps are."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C
from stable_baselines3.common.preprocessing import is_image_space_channels_first
from stable_baselines3.common.torch_layers import NatureCNN
from torch import nn

from coordconv_rl.envs.minatar import MinAtarVecEnv
from coordconv_rl.errors import InputError
from coordconv_rl.layers import CoordConv2d
from coordconv_rl.sb3 import CoordConvExtractor
from coordconv_rl.sb3.backbones import BACKBONES, SMALLEST_IMAGE, check_image, convolution_factory

ATARI = spaces.Box(0, 255, (4, 84, 84), np.uint8)
GRID = spaces.Box(0, 1, (4, 10, 10), np.uint8)
LAST = spaces.Box(0, 1, (10, 10, 4), np.uint8)


def backbone(name, channels, coords="none"):
    return nn.Sequential(*BACKBONES[name](channels, convolution_factory(name, coords, False, None)))


@pytest.mark.parametrize(
    ("name", "size", "maps"),
    [
        ("nature", (84, 84), (64, 7, 7)),
        ("nature", (36, 36), (64, 1, 1)),
        ("impala", (84, 84), (32, 11, 11)),
        ("impala", (10, 10), (32, 2, 2)),
        ("impala", (1, 1), (32, 1, 1)),
        ("minatar", (10, 10), (16, 8, 8)),
        ("minatar", (3, 3), (16, 1, 1)),
    ],
)
def test_maps_have_the_shapes_of_the_papers(name, size, maps):
    assert backbone(name, 4)(torch.rand(2, 4, *size)).shape == (2, *maps)
    assert min(size) >= SMALLEST_IMAGE[name]


def test_minatar_is_the_networks_of_young_and_tian():
    convolution, relu = backbone("minatar", 6)
    assert isinstance(relu, nn.ReLU)
    assert repr(convolution) == "Conv2d(6, 16, kernel_size=(3, 3), stride=(1, 1))"
    assert isinstance(backbone("minatar", 6, "all")[0], CoordConv2d)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_smallest_image_works(name):
    size = SMALLEST_IMAGE[name]
    space = spaces.Box(0, 1, (1, size, size))
    extractor = CoordConvExtractor(space, 7, name, "all", normalized_image=True)
    assert extractor(torch.rand(1, 1, size, size)).shape == (1, 7)


def test_of_equal_axes_the_first_holds_the_channels_as_sb3_reads_them() -> None:
    space = spaces.Box(0, 255, (10, 10, 10), np.uint8)  # MinAtar's Seaquest
    assert is_image_space_channels_first(space)
    check_image(space, "minatar")


@pytest.mark.parametrize("game", ["asterix", "breakout", "freeway", "seaquest", "space_invaders"])
def test_minatars_environments_are_taken_as_they_are(game: str) -> None:
    env = MinAtarVecEnv(game, 2)
    kwargs = {"features_extractor_class": CoordConvExtractor}
    kwargs["features_extractor_kwargs"] = {"backbone": "minatar"}
    model = A2C("CnnPolicy", env, policy_kwargs=kwargs, n_steps=4, device="cpu", seed=0)
    assert model.env is env  # nothing is transposed
    features = model.policy.extract_features(
        torch.as_tensor(env.reset()), model.policy.features_extractor
    )
    zeros_and_ones = torch.as_tensor(env.reset() > 0).float()
    assert features.shape == (2, 128)
    first = model.policy.features_extractor.cnn[0]
    assert first.in_channels == zeros_and_ones.shape[1] == env.observation_space.shape[0]
    model.learn(16)


@pytest.mark.parametrize("shape", [(4, 10, 10), (10, 10, 10), (16, 10, 10), (2, 9, 30)])
def test_scaled_images_may_have_many_channels(shape):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_image(spaces.Box(0, 1, shape, np.uint8), "minatar", normalized_image=True)
        check_image(spaces.Box(0, 1, shape, bool), "impala", normalized_image=True)


@pytest.mark.parametrize("shape", [(50, 41, 40), (70, 64, 64)])
def test_more_channels_than_pixels_a_side_are_taken_as_by_nature_cnn(shape):
    """SB3's users say so by `VecTransposeImage(skip=True)`, as many stacked frames want."""
    space = spaces.Box(0, 255, shape, np.uint8)
    torch.manual_seed(0)
    stock = NatureCNN(space)
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match="as .channels, height, width."):
        ours = CoordConvExtractor(space, coords="none")
    frames = torch.rand(2, *shape)
    torch.testing.assert_close(ours(frames), stock(frames), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("space", "options", "words"),
    [
        (spaces.Box(-1, 1, (8,), np.float32), {}, "wanted images.*MlpPolicy"),
        (spaces.Discrete(4), {}, "wanted images"),
        (spaces.Box(0, 1, (3, 84, 84), np.float32), {}, "float32.*uint8.*normalize_images=False"),
        (spaces.Box(0, 100, (3, 84, 84), np.uint8), {}, r"\[0, 100\]"),
        (spaces.Box(0, 255, (84, 84, 3), np.uint8), {}, "channels last.*VecTransposeImage"),
        (spaces.Box(0, 255, (84, 3, 84), np.uint8), {}, "no axis tells"),
        (spaces.Box(0, 255, (70, 64, 64), np.uint8), {"backbone": "impala"}, "no axis tells"),
        (spaces.Box(0, 255, (50, 41, 40), np.uint8), {"backbone": "impala"}, "channels last"),
        (spaces.Box(0, 255, (3, 84, 35), np.uint8), {}, "84x35.*36x36.*impala"),
        (ATARI, {"backbone": "natura"}, "unknown backbone.*nature"),
        (ATARI, {"coords": "fist"}, "unknown coords.*first"),
        (ATARI, {"coords": (0, 3)}, "0 to 2"),
        (ATARI, {"coords": (1, 1)}, "distinct"),
        (ATARI, {"head": "max"}, "unknown head.*flatten, pool, spatial-softmax"),
        (GRID, {"backbone": "minatar"}, r"uint8 in \[0, 1\].*normalize_images=False"),
        (GRID, {"normalized_image": True}, "10x10.*36x36.*'minatar' for MinAtar"),
        (LAST, {"backbone": "minatar", "normalized_image": True}, "channels last"),
        (spaces.Box(0, 1, (3, 2, 9)), {"backbone": "minatar", "normalized_image": True}, "no axis"),
        (spaces.Box(0, 1, (1, 2, 9)), {"backbone": "minatar", "normalized_image": True}, "3x3"),
        (
            spaces.Box(0, 255, (1, 36, 43), np.uint8),
            {"head": "spatial-softmax"},
            "single pixel: take larger images",
        ),
        (ATARI, {"coords": ()}, "distinct"),
        (ATARI, {"coords": "none", "radius": True}, "need coordinates"),
        (ATARI, {"coords": "none", "shuffle_seed": 0}, "need coordinates"),
    ],
)
def test_bad_input_says_what_to_do(space, options, words):
    with pytest.raises(InputError, match=words) as caught:
        CoordConvExtractor(space, **options)
    assert "\n" not in str(caught.value)
