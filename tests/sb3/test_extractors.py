"""The extractors against SB3's own, and every network's parameters counted by hand."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from images import SHAPE, Patches, patches
from stable_baselines3 import A2C, DQN
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.torch_layers import NatureCNN

from coordconv_rl.arms import ARMS, CONVOLUTIONS, HEADS, Arm
from coordconv_rl.errors import InputError
from coordconv_rl.layers import CoordConv2d
from coordconv_rl.sb3.extractors import (
    CoordConvCombinedExtractor,
    CoordConvExtractor,
    extractor_class,
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


# By hand: (convolutions, values behind them, channels of the last, features)
NETWORKS = {
    # 4*64*32+32, 32*16*64+64, 64*9*64+64; 7x7 maps
    "nature": (8224 + 32832 + 36928, 64 * 7 * 7, 64, 512),
    # each stage: a convolution to K channels, four of K to K; 84 pixels become 42, 21, 11
    "impala": (
        (4 * 9 * 16 + 16) + 4 * (16 * 9 * 16 + 16)
        + (16 * 9 * 32 + 32) + 4 * (32 * 9 * 32 + 32)
        + 5 * (32 * 9 * 32 + 32),
        32 * 11 * 11, 32, 512,
    ),
    # 4 channels of 10x10: 8x8 maps
    "minatar": (4 * 9 * 16 + 16, 16 * 8 * 8, 16, 128),
}  # fmt: skip
SPACES = {"nature": ATARI, "impala": ATARI, "minatar": spaces.Box(0, 1, (4, 10, 10), np.uint8)}
# x and y take two channels of a convolution's kernel, r a third
COORDINATES = {
    "nature": {"none": 0, "first": 2 * 64 * 32, "all": 2 * (64 * 32 + 16 * 64 + 9 * 64)},
    "impala": {"none": 0, "first": 2 * 9 * 16, "all": 2 * 9 * (5 * 16 + 10 * 32)},
    "minatar": {"none": 0, "first": 2 * 9 * 16, "all": 2 * 9 * 16},
}
FACTOR = {"coordconv-r": 1.5}


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("backbone", CONVOLUTIONS)
def test_parameter_counts(backbone, head, arm):
    kwargs = extractor_settings(ARMS[arm], seed=0, backbone=backbone, head=head)
    policy = ActorCriticCnnPolicy(
        SPACES[backbone],
        spaces.Discrete(6),
        lambda _: 1e-3,
        net_arch=[],
        ortho_init=False,
        features_extractor_class=CoordConvExtractor,
        features_extractor_kwargs=kwargs,
        normalize_images=backbone != "minatar",
    )
    convolutions, flat, channels, features = NETWORKS[backbone]
    inputs = {"flatten": flat, "pool": channels, "spatial-softmax": 2 * channels}[head]
    temperature = head == "spatial-softmax"
    coordinates = COORDINATES[backbone][ARMS[arm].coords] * FACTOR.get(arm, 1)
    extractor = convolutions + temperature + inputs * features + features + coordinates
    assert parameter_counts(policy) == {
        "total": extractor + features * 7 + 7,
        "extractor": extractor,
        "coordinates": coordinates,
    }


def test_the_docstring_counts_them():
    for backbone, (convolutions, flat, channels, features) in NETWORKS.items():
        heads = (flat, channels, 2 * channels)
        counts = [convolutions + n * features + features for n in heads]
        cells = [backbone, f"{convolutions:,}", f"{counts[0]:,}", f"{counts[1]:,}"]
        assert f"| {' | '.join([*cells, f'{counts[2] + 1:,}'])} |" in CoordConvExtractor.__doc__


def test_heads_share_the_convolutions_weights_and_the_default_is_as_before():
    states = {}
    for head in HEADS:
        torch.manual_seed(3)
        states[head] = CoordConvExtractor(ATARI, head=head).state_dict()
    torch.manual_seed(3)
    default = CoordConvExtractor(ATARI).state_dict()
    assert list(default) == [
        "cnn.0.weight", "cnn.0.bias", "cnn.0.coord_weight", "cnn.2.weight", "cnn.2.bias",
        "cnn.4.weight", "cnn.4.bias", "linear.0.weight", "linear.0.bias",
    ]  # fmt: skip
    assert all(torch.equal(states["flatten"][key], value) for key, value in default.items())
    for head in HEADS:
        assert all(torch.equal(states[head][k], default[k]) for k in default if "cnn" in k)
    assert states["spatial-softmax"].keys() - default.keys() == {"cnn.6.temperature"}


@pytest.mark.parametrize("backbone", ["nature", "impala"])
def test_pool_averages_behind_the_last_relu_as_impoola(backbone):
    extractor = CoordConvExtractor(SMALL, 8, backbone, head="pool")
    convolutions, images = extractor.cnn[:-2], torch.rand(3, *SHAPE)
    assert isinstance(convolutions[-1], torch.nn.ReLU)
    wanted = extractor.linear(convolutions(images).mean((2, 3)))
    torch.testing.assert_close(extractor(images), wanted)


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float32])
@pytest.mark.parametrize("channels", [4, 6, 7, 10])
@pytest.mark.parametrize("head", HEADS)
def test_minatar_grids_train_in_plain_sb3(dtype, channels, head):
    env = Grids(channels, dtype)
    kwargs = {
        "features_extractor_class": CoordConvExtractor,
        "features_extractor_kwargs": {"backbone": "minatar", "head": head},
        "normalize_images": False,
    }
    model = A2C("CnnPolicy", env, policy_kwargs=kwargs, n_steps=4, device="cpu", seed=0)
    observed, _ = model.policy.obs_to_tensor(env.grid)
    features = model.policy.extract_features(observed, model.policy.features_extractor)
    extractor = model.policy.features_extractor
    grid = torch.as_tensor(env.grid).float()[None]
    assert torch.equal(features, extractor(grid))
    assert features.shape == (1, 128)
    before = extractor.cnn[0].coord_weight.detach().clone()
    model.learn(8)
    assert not torch.equal(extractor.cnn[0].coord_weight, before)


class Grids(gymnasium.Env):
    """Zeros and ones of (channels, 10, 10), as MinAtar's with the channels first."""

    def __init__(self, channels, dtype):
        self.observation_space = spaces.Box(0, 1, (channels, 10, 10), dtype)
        self.action_space = spaces.Discrete(3)
        self.grid = np.random.default_rng(0).integers(0, 2, (channels, 10, 10)).astype(dtype)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.grid, {}

    def step(self, action):
        return self.grid, float(action), False, False, {}


@pytest.mark.parametrize("backbone", CONVOLUTIONS)
def test_numpy_integers_are_integers(backbone):
    number = np.int64
    options = {"features_dim": number(8), "coords": [number(0)], "shuffle_seed": number(3)}
    torch.manual_seed(0)
    extractor = CoordConvExtractor(SMALL, backbone=backbone, **options)
    torch.manual_seed(0)
    plain = CoordConvExtractor(SMALL, 8, backbone, (0,), shuffle_seed=3)
    images = torch.rand(2, *SHAPE)
    assert torch.equal(extractor(images), plain(images))
    assert type(extractor.features_dim) is int


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features_dim": 0}, "features_dim is 0: it must be at least 1"),
        ({"features_dim": "8"}, "features_dim is '8': use an integer"),
        ({"shuffle_seed": 1.5}, "shuffle_seed is 1.5: use an integer"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_name(options, message):
    with pytest.raises(InputError, match=message):
        CoordConvExtractor(SMALL, **options)


@pytest.mark.parametrize("backbone", CONVOLUTIONS)
@pytest.mark.parametrize("head", HEADS)
def test_networks_are_exported_as_stock_ones(backbone, head):
    extractor = CoordConvExtractor(SMALL, 8, backbone, "all", radius=True, head=head).eval()
    images = torch.rand(2, *SHAPE)
    with torch.no_grad():
        wanted = extractor(images)
        scripted, traced = torch.jit.script(extractor), torch.fx.symbolic_trace(extractor)
        for other in (scripted, traced, torch.jit.trace(extractor, images)):
            torch.testing.assert_close(other(images), wanted, rtol=0, atol=1e-5)


def test_an_arm_chooses_backbone_and_head_or_leaves_them():
    arm = Arm("first", head="pool")
    assert extractor_settings(arm, seed=1, backbone="impala") == {
        "backbone": "impala", "coords": "first", "radius": False, "shuffle_seed": None,
        "head": "pool",
    }  # fmt: skip
    own = extractor_settings(Arm(backbone="minatar"), seed=1, backbone="impala", head="pool")
    assert (own["backbone"], own["head"]) == ("minatar", "pool")


def test_an_arm_may_have_an_extractor_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "mine_for_this_test.py").write_text(
        "from stable_baselines3.common.torch_layers import FlattenExtractor\n"
        "class Mine(FlattenExtractor):\n    pass\nclass Other:\n    pass\n"
    )
    (tmp_path / "broken_for_this_test.py").write_text("1 / 0\n")
    (tmp_path / "garbled_for_this_test.py").write_text("class Mine(\n")
    monkeypatch.syspath_prepend(tmp_path)
    arm = Arm(extractor="mine_for_this_test:Mine", kwargs={"x": 1})
    assert extractor_class(arm).__name__ == "Mine"
    assert extractor_settings(arm, seed=0) == {"x": 1}
    assert extractor_class(ARMS["cnn"]) is CoordConvExtractor
    for name, words in (
        ("mine_for_this_test:Miner", "cannot import the extractor .*Miner.*PYTHONPATH"),
        ("no_such_module_for_this_test:Mine", "No module named"),
        ("broken_for_this_test:Mine", "ZeroDivisionError: .*; try python -m broken_for_this_test"),
        ("garbled_for_this_test:Mine", "SyntaxError: .*; try python -m garbled_for_this_test"),
        ("mine_for_this_test:Other", "no subclass of .*BaseFeaturesExtractor"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            extractor_class(Arm(extractor=name))
        assert "\n" not in str(caught.value)


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


def test_scaled_images_work_as_in_sb3():
    space = spaces.Box(0, 1, (3, 40, 40), np.float32)
    kwargs = {"features_extractor_class": CoordConvExtractor, "normalize_images": False}
    policy = ActorCriticCnnPolicy(space, spaces.Discrete(2), lambda _: 1e-3, **kwargs)
    action, _ = policy.predict(space.sample())
    assert action in (0, 1)


@pytest.mark.parametrize("head", HEADS)
def test_combined_extractor_sees_images_and_vectors(head):
    space = Patches(as_dict=True).observation_space
    options = {"coords": "all", "radius": True, "head": head}
    extractor = CoordConvCombinedExtractor(space, cnn_output_dim=32, **options)
    assert extractor.extractors["image"].head == head
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


def test_combined_extractor_asks_the_backbone_how_many_features_there_are():
    space = Patches(as_dict=True).observation_space
    extractor = CoordConvCombinedExtractor(space, cnn_output_dim=None)
    inputs = {"image": torch.rand(2, *SHAPE), "vector": torch.rand(2, 3)}
    assert extractor(inputs).shape == (2, extractor.features_dim) == (2, 512 + 3)


@pytest.mark.parametrize(
    "space", [ATARI, spaces.Dict({"vector": spaces.Box(-1, 1, (3,), np.float32)})]
)
def test_combined_extractor_wants_a_dict_with_an_image(space):
    with pytest.raises(InputError, match="wanted a"):
        CoordConvCombinedExtractor(space)
