"""Whatever of a network the fast path does not know is computed as stock SB3 computes it."""

from __future__ import annotations

import re

import pytest
import torch
from breaks import BREAKS, overriding
from images import SHAPE
from pairs import assert_same_outputs, assert_same_update, both
from stable_baselines3 import A2C, PPO
from torch.nn.utils import prune

from coordconv_rl import CoordConvExtractor
from coordconv_rl.errors import InputError
from coordconv_rl.fast import Observations, StepsAside
from coordconv_rl.sb3 import policy as policies
from coordconv_rl.sb3.features import describe, layers_of

ROLLOUT = 8  # steps of two environments


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
@pytest.mark.parametrize("algorithm", [PPO, A2C])
@pytest.mark.parametrize("name", BREAKS)
def test_a_changed_network_is_computed_and_trained_as_sb3_does(name, algorithm, caplog):
    caplog.set_level("INFO", "coordconv_rl.sb3")
    fast, stock = both(algorithm, n_steps=ROLLOUT // 2)
    fast.policy.extract_features(torch.zeros(1, *SHAPE, dtype=torch.uint8))
    assert not caplog.records
    with BREAKS[name].made(fast.policy, stock.policy):
        assert_same_outputs(fast, stock)
        assert_same_update(fast, stock, steps=ROLLOUT)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(set(said)) <= 2, said
    assert all("as SB3 does" in line or "by SB3's own code" in line for line in said)
    assert any(re.search(BREAKS[name].reason, line) for line in said), said


def test_each_method_that_training_goes_around_is_overridden_once():
    own = {name.removeprefix("a policy's own ") for name in BREAKS}
    assert policies._OVERRIDES - own == {"_features"}  # which SB3's policy does not have


OWN = {
    "get_distribution": lambda found: found.proba_distribution(found.distribution.logits / 3),
    "_get_action_dist_from_latent": lambda found: found.proba_distribution(
        found.distribution.logits / 3
    ),
    "predict": lambda found: (2 - found[0], found[1]),
}


@pytest.mark.parametrize("algorithm", [PPO, A2C])
@pytest.mark.parametrize("name", OWN)
def test_methods_of_a_policy_that_training_calls_itself(name, algorithm):
    fast, stock = both(algorithm)
    for model in (fast, stock):
        overriding(name, OWN[name])(model.policy)
    assert_same_outputs(fast, stock)
    frames = torch.randint(256, (5, *SHAPE), dtype=torch.uint8).numpy()
    actions = [model.predict(frames, deterministic=True)[0] for model in (fast, stock)]
    assert (actions[0] == actions[1]).all()
    assert_same_update(fast, stock)
    assert not fast.policy._reasons


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_a_sparse_weight_acts_as_it_does_in_sb3():
    fast, stock = both(PPO)
    for model in (fast, stock):
        layer = model.policy.features_extractor.linear[0]
        prune.l1_unstructured(layer, "weight", 0.9)
        prune.remove(layer, "weight")
        thin = layer.weight.detach().to_sparse_csr()
        layer.weight = torch.nn.Parameter(thin, requires_grad=False)
    assert_same_outputs(fast, stock)
    assert fast.policy._reasons == {"Linear.weight is on cpu (torch.sparse_csr)"}


@pytest.mark.parametrize("algorithm", [PPO, A2C])
def test_gradients_that_hooks_of_weights_change(algorithm):
    fast, stock = both(algorithm)
    for model in (fast, stock):
        for weight in model.policy.features_extractor.parameters():
            weight.register_hook(lambda gradient: 3 * gradient.clamp(min=0))
    assert_same_update(fast, stock)
    assert not fast.policy._reasons


@pytest.mark.parametrize("algorithm", [PPO, A2C])
def test_other_numbers_of_channels_and_what_lies_beside_the_weights(algorithm):
    extractor = {"features_extractor_kwargs": {"features_dim": 96}}
    fast, stock = both(algorithm, policy_kwargs=extractor)
    for model in (fast, stock):
        torch.manual_seed(0)
        network = model.policy.features_extractor
        network.cnn[2] = torch.nn.Conv2d(32, 48, 4, 2)
        network.cnn[4] = torch.nn.Conv2d(48, 24, 3)
        network.linear[0] = torch.nn.Linear(48, 96)
        network.cnn[4].of_nobody = torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    assert_same_outputs(fast, stock)
    assert_same_update(fast, stock)
    assert not fast.policy._reasons


@pytest.mark.parametrize(
    ("obs", "reason"),
    [
        ({"image": torch.zeros(1)}, "a dict"),
        (torch.zeros(1, *SHAPE, dtype=torch.uint8).to_sparse(), "a Tensor"),
        (torch.nn.Parameter(torch.zeros(1)), "a Parameter"),
    ],
)
def test_observations_that_are_no_plain_tensor(obs, reason):
    with pytest.raises(StepsAside, match=reason):
        describe(obs)


VIEWS = {
    "every second": lambda x: x[::2],
    "mirrored": lambda x: x.flip(-1),
    "one for all": lambda x: x[:1].expand(4, -1, -1, -1),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "columns first": lambda x: x.mT.contiguous().mT,
    "at an odd address": lambda x: torch.cat([x.flatten()] * 2)[7 : 7 + x.numel()].view(x.shape),
    "every second channel": lambda x: torch.cat([x, x.flip(1)], 1)[:, ::2],
}


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("name", VIEWS)
def test_images_in_any_layout(name, gradients):
    fast, stock = both(PPO)
    frames = VIEWS[name](torch.randint(256, (6, *SHAPE), dtype=torch.uint8))
    with torch.set_grad_enabled(gradients):
        results = [model.policy.extract_features(frames) for model in (fast, stock)]
    assert not fast.policy._reasons
    torch.testing.assert_close(*results, rtol=0, atol=1e-5)


@pytest.mark.parametrize("gradients", [False, True])
def test_weights_in_any_layout(gradients):
    fast, stock = both(PPO)
    frames = torch.randint(256, (6, *SHAPE), dtype=torch.uint8)
    linear = fast.policy.features_extractor.linear[0]
    linear.weight = torch.nn.Parameter(linear.weight.detach().t().contiguous().t())
    fast.policy.to(memory_format=torch.channels_last)
    with torch.set_grad_enabled(gradients):
        results = [model.policy.extract_features(frames) for model in (fast, stock)]
    assert not fast.policy._reasons
    torch.testing.assert_close(*results, rtol=0, atol=1e-5)


def test_an_extractor_of_a_subclass():
    class Own(CoordConvExtractor):
        def forward(self, observations):
            return -super().forward(observations)

    fast, stock = both(PPO, policy_kwargs={"features_extractor_class": Own})
    images = Observations(torch.Size((1, *SHAPE)), torch.uint8, torch.device("cpu"))
    with pytest.raises(StepsAside, match="the features extractor is a Own"):
        layers_of(fast.policy.features_extractor, images)
    assert_same_outputs(fast, stock)
    assert_same_update(fast, stock)


def test_pruned_coordinates_cannot_be_left_out():
    fast, _ = both(PPO)
    policy = fast.policy
    policy.coordinates_for = "actor"
    frames = torch.zeros(1, *SHAPE, dtype=torch.uint8)
    policy.predict_values(frames)
    prune.l1_unstructured(policy.features_extractor.cnn[0], "coord_weight", 0.5)
    with pytest.raises(InputError, match="pruned or parametrized"):
        policy.predict_values(frames)
