from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from devices import NoFloat64
from gymnasium import spaces
from images import SHAPE, patches
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike
from torch.distributions import Distribution

from coordconv_rl.agents.build import policy_settings
from coordconv_rl.arms import ARMS, Arm
from coordconv_rl.errors import InputError
from coordconv_rl.sb3.policy import CoordConvPolicy

SPACE = spaces.Box(0, 255, SHAPE, np.uint8)
ACTIONS = spaces.Discrete(3)
ALL_ACTOR = Arm("all", actor_only=True)
PPO_SETTINGS: dict[str, Any] = {"n_steps": 16, "batch_size": 16, "n_epochs": 2, "ent_coef": 0.01}
ALGORITHMS = {"ppo": (PPO, PPO_SETTINGS), "a2c": (A2C, {"n_steps": 8, "ent_coef": 0.01})}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def make(
    arm: str | Arm = "coordconv", precision: str = "float32", **options: Any
) -> CoordConvPolicy:
    """Make a policy whose last layers are large enough to show what differs."""
    torch.manual_seed(1)
    arm = ARMS[arm] if isinstance(arm, str) else arm
    cls, kwargs = policy_settings(arm, seed=1, precision=precision, **options)
    policy = cls(SPACE, ACTIONS, lambda _: 1e-3, **kwargs)
    with torch.no_grad():
        policy.action_net.weight.mul_(100)
    return policy


def images(count: int = 5) -> torch.Tensor:
    random = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8, generator=random)


def train(
    algo: str, precision: str, arm: str = "coordconv", steps: int = 64, **options: Any
) -> Any:
    algorithm, settings = ALGORITHMS[algo]
    policy, kwargs = policy_settings(ARMS[arm], seed=4, precision=precision, algo=algo)
    model = algorithm(policy, patches(), seed=4, policy_kwargs=kwargs, **settings | options)
    return model.learn(steps)


@pytest.mark.parametrize("algo", ["ppo", "a2c"])
def test_one_update_in_float32_gives_sb3s_own_weights(algo):
    algorithm, settings = ALGORITHMS[algo]
    options = (
        {"policy_kwargs": {"optimizer_class": RMSpropTFLike, "optimizer_kwargs": {"eps": 1e-5}}}
        if algo == "a2c"
        else {}
    )
    theirs = algorithm("CnnPolicy", patches(), seed=4, **settings, **options)
    start = copy.deepcopy(theirs.policy.state_dict())
    theirs.learn(theirs.n_steps * 2)
    ours = train(algo, "float32", "cnn", steps=theirs.n_steps * 2)

    assert np.array_equal(ours.rollout_buffer.observations, theirs.rollout_buffer.observations)
    assert np.array_equal(ours.rollout_buffer.actions, theirs.rollout_buffer.actions)
    for key, expected in theirs.policy.state_dict().items():
        found = ours.policy.state_dict()[key]
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
        step = (expected - start[key]).abs().max()
        assert step > 0
        assert (found - expected).abs().max() < 0.1 * step


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_fast_features_and_gradients_are_the_extractors(arm, layout):
    policy = make(arm)
    extractor, frames = policy.features_extractor, images()
    weights = torch.randn(5, 512, generator=torch.Generator().manual_seed(0))
    expected = extractor(frames.float() / 255)
    (expected * weights).sum().backward()
    gradients = {k: p.grad.clone() for k, p in extractor.named_parameters()}
    extractor.zero_grad()
    found = policy._features(extractor, frames.contiguous(memory_format=layout))
    (found * weights).sum().backward()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    for key, p in extractor.named_parameters():
        scale = gradients[key].abs().max()
        assert scale > 0
        torch.testing.assert_close(p.grad / scale, gradients[key] / scale, rtol=0, atol=1e-5)


def test_bfloat16_is_close_to_float32():
    exact, rough = make("coordconv-all"), make("coordconv-all", "bfloat16")
    frames = images(16)
    gradients = []
    for policy in (exact, rough):
        features = policy.extract_features(frames)
        assert features.dtype == torch.float32
        features.square().mean().backward()
        gradients.append(
            torch.cat([p.grad.flatten() for p in policy.features_extractor.parameters()])
        )
    assert not torch.equal(*gradients)
    assert torch.cosine_similarity(*gradients, dim=0) > 0.999
    assert (gradients[1].norm() / gradients[0].norm()).item() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("arm", ["coordconv-actor", ALL_ACTOR])
@pytest.mark.parametrize("backbone", ["nature", "impala"])
def test_only_the_actor_sees_coordinates(arm, backbone):
    policy, frames = make(arm, backbone=backbone), images()
    blind = copy.deepcopy(policy)
    with torch.no_grad():
        for key, weight in blind.named_parameters():
            if key.endswith("coord_weight"):
                weight.zero_()
    shared = make(Arm("first" if arm == "coordconv-actor" else "all"), backbone=backbone)
    assert shared.state_dict().keys() == policy.state_dict().keys()
    with torch.no_grad():
        logits = shared.get_distribution(frames).distribution.logits
        values = blind.predict_values(frames)
        assert not torch.allclose(values, shared.predict_values(frames), atol=1e-3)
        actions = logits.argmax(1)

        def same(found: torch.Tensor, expected: torch.Tensor) -> None:
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)

        same(policy.get_distribution(frames).distribution.logits, logits)
        same(policy.predict_values(frames), values)
        chosen, found_values, log_prob = policy(frames, deterministic=True)
        assert torch.equal(chosen, actions)
        same(found_values, values)
        same(log_prob, logits.max(1).values)
        found_values, log_prob, entropy = policy.evaluate_actions(frames, actions)
        same(found_values, values)
        same(log_prob, logits.max(1).values)
        same(entropy, shared.get_distribution(frames).entropy())
        actor, critic = policy.extract_features(frames)
        same(actor, shared.extract_features(frames))
        same(critic, blind.extract_features(frames)[1])
    assert np.array_equal(policy.predict(frames.numpy(), deterministic=True)[0], actions.numpy())


@pytest.mark.parametrize("arm", ["coordconv-actor", ALL_ACTOR])
def test_the_critics_loss_does_not_move_what_only_the_actor_sees(arm):
    policy, frames = make(arm), images()
    weight = policy.features_extractor.cnn[0].coord_weight
    values, log_prob, _ = policy.evaluate_actions(frames, torch.zeros(5))
    values.sum().backward(retain_graph=True)
    assert weight.grad is None or not weight.grad.any()
    log_prob.sum().backward()
    assert weight.grad.any()


def test_generic_backbones_and_separate_extractors_compute_what_sb3_does():
    frames, actions = images(), torch.tensor([0, 1, 2, 0, 1])
    for options in ({"backbone": "impala"}, {"share": False}):
        _, kwargs = policy_settings(ARMS["coordconv"], seed=1, precision="float32")
        kwargs["features_extractor_kwargs"]["backbone"] = options.get("backbone", "nature")
        kwargs["share_features_extractor"] = options.get("share", True)
        ours = CoordConvPolicy(SPACE, ACTIONS, lambda _: 1e-3, **kwargs)
        del kwargs["precision"], kwargs["coordinates_for"]
        theirs = ActorCriticCnnPolicy(SPACE, ACTIONS, lambda _: 1e-3, net_arch=[], **kwargs)
        theirs.load_state_dict(ours.state_dict())
        expected = theirs.evaluate_actions(frames, actions)
        for found, value in zip(ours.evaluate_actions(frames, actions), expected, strict=True):
            torch.testing.assert_close(found, value, rtol=1e-4, atol=1e-5)
        with torch.no_grad():
            found, expected = ours(frames, True), theirs(frames, True)
        torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-5)


def test_frames_are_not_divided_where_the_policy_says_so():
    _, kwargs = policy_settings(ARMS["coordconv"], seed=1, precision="float32")
    policy = CoordConvPolicy(SPACE, ACTIONS, lambda _: 1e-3, normalize_images=False, **kwargs)
    expected = policy.features_extractor(preprocess_obs(images(), SPACE, False))
    found = policy.extract_features(images())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("algo", ["ppo", "a2c"])
def test_same_seed_same_weights_byte_for_byte(algo, precision):
    first, second = (train(algo, precision).policy.state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("algo", ["ppo", "a2c"])
@pytest.mark.parametrize("arm", ["cnn", "coordconv-actor", "shuffled"])
def test_sb3_saves_and_loads(algo, arm, tmp_path):
    model = train(algo, "bfloat16", arm)
    model.save(tmp_path / "model.zip")
    loaded = type(model).load(tmp_path / "model.zip")
    assert loaded.policy.resolved_precision == "bfloat16"
    frames = images(32)
    with torch.no_grad():
        for found, expected in zip(
            loaded.policy(frames, True), model.policy(frames, True), strict=True
        ):
            assert torch.equal(found, expected)
    loaded.policy.save(tmp_path / "policy.pt")
    again = CoordConvPolicy.load(tmp_path / "policy.pt")
    assert again.coordinates_for == model.policy.coordinates_for
    assert torch.equal(again.predict_values(frames), model.policy.predict_values(frames))
    loaded.set_env(patches())
    loaded.learn(32)


@pytest.mark.parametrize("arm", ["coordconv", "coordconv-actor"])
def test_weights_that_are_kept_for_acting_follow_training(arm):
    policy, frames = make(arm, "bfloat16"), images()

    def act() -> torch.Tensor:
        with torch.no_grad():
            values = policy(frames, True)[1]
            assert torch.equal(values, policy(frames, True)[1])
            anew = policy.predict_values(frames)
            torch.testing.assert_close(values, anew, rtol=0, atol=0.01 * (arm != "coordconv"))
        return values

    seen = [act()]
    for _ in range(2):
        policy.evaluate_actions(frames, torch.zeros(5))[0].sum().backward()
        policy.optimizer.step()
        seen.append(act())
    with torch.no_grad():
        policy.features_extractor.linear[0].weight.mul_(0.5)
    seen.append(act())
    policy.load_state_dict(make(arm, "bfloat16").state_dict())
    assert torch.equal(act(), seen[0])
    for p in policy.parameters():
        p.data.mul_(0.9)
    policy.set_training_mode(False)
    seen.append(act())
    assert len({value.sum().item() for value in seen}) == len(seen)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_one_weight_of_the_whole_network_that_is_set_behind_torchs_back_counts(precision):
    """As who prunes or perturbs single weights does, through `.data`, of a million and a half."""
    torch.manual_seed(1)
    space = spaces.Box(0, 255, (4, 84, 84), np.uint8)
    _, kwargs = policy_settings(ARMS["coordconv"], seed=1, precision=precision)
    policy = CoordConvPolicy(space, ACTIONS, lambda _: 1e-3, **kwargs)
    frames = torch.randint(0, 256, (8, 4, 84, 84), dtype=torch.uint8)
    weight = policy.features_extractor.linear[0].weight
    with torch.no_grad():
        features = policy.extract_features(frames)
        unit = int(features.sum(0).argmax())
        given = policy.features_extractor.cnn(frames / 255).mean(0)
        weight.data[unit, int(given.argmax())] += 30
        changed = policy.extract_features(frames)
        anew = copy.deepcopy(policy).extract_features(frames)
    assert (changed - features)[:, unit].abs().max() > 0.1
    assert torch.equal(changed, anew)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_gradients_that_somebody_else_puts_in_place_move_weights_as_backwards_do(precision):
    """As who combines the gradients of several losses does, with `torch.autograd.grad`."""
    by_hand, by_backward = make(precision=precision), make(precision=precision)
    actions = torch.arange(5) % 3
    for policy in (by_hand, by_backward):
        values, log_prob, _ = policy.evaluate_actions(images(), actions)
        loss = values.mean() + log_prob.mean()
        weights = list(policy.parameters())
        if policy is by_hand:
            for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                assert gradient.view(-1).shape == (weight.numel(),)  # as they lie in SB3
                weight.grad = gradient
        else:
            loss.backward()
        policy.optimizer.step()
    assert all(map(torch.equal, by_hand.parameters(), by_backward.parameters()))


def test_defaults_are_sb3s():
    policy = CoordConvPolicy(SPACE, ACTIONS, lambda _: 1e-3)
    assert policy.net_arch == []
    assert policy.optimizer.defaults["eps"] == 1e-5
    assert policy.optimizer.defaults["fused"]
    a2c = train("a2c", "float32", steps=16)
    assert isinstance(a2c.policy.optimizer, RMSpropTFLike)
    assert a2c.policy.optimizer.defaults["eps"] == 1e-5


@pytest.mark.parametrize("given", [None, {}, {"eps": 1e-3}, {"weight_decay": 0.1}])
def test_optimizer_settings_are_those_that_sb3_would_take(given):
    ours, theirs = (
        cls(SPACE, ACTIONS, lambda _: 1e-3, optimizer_kwargs=copy.copy(given)).optimizer.defaults
        for cls in (CoordConvPolicy, ActorCriticCnnPolicy)
    )
    for key in ("lr", "betas", "eps", "weight_decay"):
        assert ours[key] == theirs[key]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": "bfloat"}, "unknown precision.*bfloat16"),
        ({"coordinates_for": "critic"}, "unknown coordinates_for.*actor"),
        ({"coordinates_for": "actor", "share_features_extractor": False}, "share_features"),
        (
            {"coordinates_for": "actor", "features_extractor_kwargs": {"coords": "none"}},
            "needs an extractor with coordinates",
        ),
    ],
)
def test_bad_options_say_what_to_do(options, words):
    with pytest.raises(InputError, match=words):
        CoordConvPolicy(SPACE, ACTIONS, lambda _: 1e-3, **options)


NETWORKS: list[dict[str, Any]] = [
    {"backbone": "nature", "coords": "all"},
    {"backbone": "nature", "coords": "first", "head": "pool"},
    {"backbone": "impala", "coords": "all", "head": "spatial-softmax"},
    {"backbone": "minatar", "coords": "all", "head": "spatial-softmax"},
]


@pytest.mark.parametrize("coordinates_for", ["shared", "actor"])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: f"{n['backbone']}-{n.get('head')}")
def test_a_device_without_float64_trains_a_policy_made_on_the_processor(
    network, coordinates_for, monkeypatch
):
    """Acting, evaluation, backward pass and the optimizer's step, after the same elsewhere."""
    monkeypatch.setattr(Distribution, "_validate_args", False)  # it looks at values: here are none
    policy = CoordConvPolicy(
        SPACE, ACTIONS, lambda _: 1e-3, coordinates_for=coordinates_for,
        features_extractor_kwargs=network | {"radius": True, "shuffle_seed": 1},
    )  # fmt: skip
    frames = images()

    def update(frames: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            actions, *_ = policy(frames)
            policy.get_distribution(frames).get_actions(deterministic=True)
            policy.predict_values(frames)
        values, log_prob, entropy = policy.evaluate_actions(frames, actions)
        (values.mean() + log_prob.mean() + entropy.mean()).backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
        policy.optimizer.step()
        policy.optimizer.zero_grad()
        return values

    wanted = update(frames)
    policy.optimizer.state.clear()  # SB3 makes the optimizer where the policy is
    with NoFloat64():
        policy.to("meta")
        found = update(frames.to("meta"))
    assert (found.device.type, found.dtype, found.shape) == ("meta", wanted.dtype, wanted.shape)


@pytest.mark.gpu
@pytest.mark.parametrize("arm", ARMS)
def test_a_gpu_computes_what_the_processor_does(arm):
    policy, frames = make(arm), images()
    expected = policy.evaluate_actions(frames, torch.zeros(5))
    on_gpu = copy.deepcopy(policy).to("cuda")
    found = on_gpu.evaluate_actions(frames.cuda(), torch.zeros(5, device="cuda"))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a.cpu(), b, rtol=1e-2, atol=1e-2)
