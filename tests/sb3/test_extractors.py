from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from images import SHAPE, Patches, patches
from stable_baselines3 import DQN
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.torch_layers import NatureCNN

from coordconv_rl.arms import ARMS
from coordconv_rl.errors import InputError
from coordconv_rl.layers.convolutions import CoordConv2d
from coordconv_rl.sb3.extractors import (
    CoordConvCombinedExtractor,
    CoordConvExtractor,
    extractor_settings,
    parameter_counts,
)

ATARI = spaces.Box(0, 255, (4, 84, 84), np.uint8)
SMALL = spaces.Box(0, 255, SHAPE, np.uint8)


def make_policy(arm: str, algo: str = "ppo", seed: int = 5) -> torch.nn.Module:
    torch.manual_seed(seed)
    kwargs = {
        "features_extractor_class": CoordConvExtractor,
        "features_extractor_kwargs": extractor_settings(ARMS[arm], seed=seed),
        "net_arch": [],
    }
    if algo == "dqn":
        return DQN("CnnPolicy", patches(1), policy_kwargs=kwargs, seed=seed, buffer_size=4).policy
    return ActorCriticCnnPolicy(SMALL, spaces.Discrete(3), lambda _: 1e-3, **kwargs)


def test_without_coordinates_it_is_sb3s_nature_cnn():
    torch.manual_seed(3)
    theirs = NatureCNN(ATARI)
    torch.manual_seed(3)
    ours = CoordConvExtractor(ATARI, coords="none")
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    assert all(torch.equal(ours.state_dict()[k], v) for k, v in theirs.state_dict().items())
    images = torch.rand(3, 4, 84, 84)
    assert torch.equal(ours(images), theirs(images))


def test_without_coordinates_the_whole_policy_starts_as_sb3s():
    torch.manual_seed(5)
    theirs = ActorCriticCnnPolicy(SMALL, spaces.Discrete(3), lambda _: 1e-3).state_dict()
    ours = make_policy("cnn").state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[k], v) for k, v in theirs.items())


@pytest.mark.parametrize("algo", ["ppo", "dqn"])
def test_arms_share_their_initial_weights(algo):
    reference = make_policy("coordconv-all", algo).state_dict()
    plain = make_policy("cnn", algo).state_dict()
    for arm in ARMS:
        weights = make_policy(arm, algo).state_dict()
        assert weights.keys() >= plain.keys()
        assert all(torch.equal(weights[key], value) for key, value in plain.items())
        if arm not in ("cnn", "coordconv-r"):
            shared = [key for key in weights if "coord_weight" in key]
            assert shared
            assert all(torch.equal(weights[key], reference[key]) for key in shared)


# By hand: convolutions of 8224, 32832 and 36928 weights, a linear layer of 3136 * 512 + 512.
@pytest.mark.parametrize(
    ("arm", "coordinates"),
    [("cnn", 0), ("coordconv", 4096), ("coordconv-r", 6144), ("coordconv-all", 7296),
     ("coordconv-actor", 4096), ("shuffled", 4096)],
)  # fmt: skip
def test_parameter_counts(arm, coordinates):
    kwargs = extractor_settings(ARMS[arm], seed=0)
    policy = ActorCriticCnnPolicy(
        ATARI,
        spaces.Discrete(6),
        lambda _: 1e-3,
        net_arch=[],
        features_extractor_class=CoordConvExtractor,
        features_extractor_kwargs=kwargs,
    )
    extractor = 8224 + 32832 + 36928 + 1606144 + coordinates
    heads = 512 * 7 + 7
    assert parameter_counts(policy) == {
        "total": extractor + heads,
        "extractor": extractor,
        "coordinates": coordinates,
    }


def test_only_the_shuffled_arm_has_a_permutation_and_it_is_the_runs():
    seeds = {arm: extractor_settings(ARMS[arm], seed=7)["shuffle_seed"] for arm in ARMS}
    assert seeds.pop("shuffled") == 7
    assert set(seeds.values()) == {None}


@pytest.mark.parametrize("coords", ["first", "all", (0, 14)])
def test_impala_has_coordinates_where_asked(coords):
    extractor = CoordConvExtractor(
        spaces.Box(0, 255, (4, 20, 31), np.uint8), 64, backbone="impala", coords=coords
    )
    convolutions = [m for m in extractor.modules() if isinstance(m, torch.nn.Conv2d)]
    found = tuple(i for i, m in enumerate(convolutions) if isinstance(m, CoordConv2d))
    assert len(convolutions) == 15
    assert found == {"first": (0,), "all": tuple(range(15))}.get(coords, coords)
    assert [m.out_channels for m in convolutions] == [16] * 5 + [32] * 10
    features = extractor(torch.rand(2, 4, 20, 31))
    features.sum().backward()
    assert features.shape == (2, 64)
    assert all(p.grad is not None for p in extractor.parameters())


def test_impala_residual_blocks_add_their_input():
    extractor = CoordConvExtractor(SMALL, 8, backbone="impala", coords="none")
    block = extractor.cnn[2]
    with torch.no_grad():
        for p in block.parameters():
            p.zero_()
    x = torch.randn(1, 16, 5, 5)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(
    ("space", "options", "words"),
    [
        (spaces.Box(-1, 1, (8,), np.float32), {}, "wanted images.*MlpPolicy"),
        (spaces.Discrete(4), {}, "wanted images"),
        (spaces.Box(0, 1, (3, 84, 84), np.float32), {}, "float32.*uint8.*normalize_images=False"),
        (spaces.Box(0, 100, (3, 84, 84), np.uint8), {}, r"\[0, 100\]"),
        (spaces.Box(0, 255, (84, 84, 3), np.uint8), {}, "channels last.*VecTransposeImage"),
        (spaces.Box(0, 255, (84, 3, 84), np.uint8), {}, "no axis tells"),
        (spaces.Box(0, 255, (64, 64, 64), np.uint8), {}, "no axis tells"),
        (spaces.Box(0, 255, (3, 84, 35), np.uint8), {}, "84x35.*36x36.*impala"),
        (ATARI, {"backbone": "natura"}, "unknown backbone.*nature"),
        (ATARI, {"coords": "fist"}, "unknown coords.*first"),
        (ATARI, {"coords": (0, 3)}, "0 to 2"),
        (ATARI, {"coords": (1, 1)}, "distinct"),
        (ATARI, {"coords": ()}, "distinct"),
        (ATARI, {"coords": "none", "radius": True}, "need coordinates"),
        (ATARI, {"coords": "none", "shuffle_seed": 0}, "need coordinates"),
    ],
)
def test_bad_input_says_what_to_do(space, options, words):
    with pytest.raises(InputError, match=words) as caught:
        CoordConvExtractor(space, **options)
    assert "\n" not in str(caught.value)


def test_the_smallest_image_works():
    extractor = CoordConvExtractor(spaces.Box(0, 255, (1, 36, 36), np.uint8), coords="all")
    assert extractor(torch.rand(1, 1, 36, 36)).shape == (1, 512)


def test_scaled_images_work_as_in_sb3():
    space = spaces.Box(0, 1, (3, 40, 40), np.float32)
    kwargs = {"features_extractor_class": CoordConvExtractor, "normalize_images": False}
    policy = ActorCriticCnnPolicy(space, spaces.Discrete(2), lambda _: 1e-3, **kwargs)
    action, _ = policy.predict(space.sample())
    assert action in (0, 1)


def test_combined_extractor_sees_images_and_vectors():
    space = Patches(as_dict=True).observation_space
    extractor = CoordConvCombinedExtractor(space, cnn_output_dim=32, coords="all", radius=True)
    inputs = {"image": torch.rand(2, *SHAPE), "vector": torch.rand(2, 3)}
    features = extractor(inputs)
    assert features.shape == (2, 35)
    assert extractor.features_dim == 35
    assert torch.equal(features[:, 32:], inputs["vector"])
    assert torch.equal(features[:, :32], extractor.extractors["image"](inputs["image"]))
    assert all(
        isinstance(m, CoordConv2d) and m.radius
        for m in extractor.modules()
        if isinstance(m, torch.nn.Conv2d)
    )


@pytest.mark.parametrize(
    "space", [ATARI, spaces.Dict({"vector": spaces.Box(-1, 1, (3,), np.float32)})]
)
def test_combined_extractor_wants_a_dict_with_an_image(space):
    with pytest.raises(InputError, match="wanted a"):
        CoordConvCombinedExtractor(space)
