"""Attributes, methods and wrappers: what SB3's own stack answers, ours answers too."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from envs_reference import pair
from stable_baselines3.common import atari_wrappers
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecFrameStack

ATTRIBUTES = [
    "observation_space",
    "action_space",
    "render_mode",
    "metadata",
    "lives",
    "was_real_done",
    "noop_max",
    "noop_action",
    "override_num_noops",
    "np_random_seed",
    "width",
    "height",
    "_skip",
    "total_steps",
    "episode_returns",
    "episode_lengths",
    "needs_reset",
    "has_reset",
]
METHODS = [
    "get_action_meanings",
    "get_keys_to_action",
    "get_episode_rewards",
    "get_episode_lengths",
    "get_total_steps",
]
MISSING = ["action_repeat_probability", "frame_skip", "nonsense"]  # under v4


@pytest.fixture(scope="module", params=[0, 2])
def played(request):
    """Both stacks after some games of a game that ends soon."""
    theirs, ours = pair("Breakout", workers=request.param)
    theirs.reset()
    ours.reset()
    rng = np.random.default_rng(0)
    for _ in range(250):
        actions = rng.integers(4, size=2)
        theirs.step(actions)
        ours.step(actions)
    yield theirs, ours
    ours.close()


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes(played, name):
    theirs, ours = played
    assert ours.get_attr(name) == theirs.get_attr(name)


@pytest.mark.parametrize("name", METHODS)
def test_methods(played, name):
    theirs, ours = played
    assert ours.env_method(name) == theirs.env_method(name)
    if name == "get_episode_rewards":
        assert sum(ours.env_method(name), [])  # noqa: RUF017


@pytest.mark.parametrize("name", MISSING)
def test_what_they_lack_we_lack(played, name):
    for env in played:
        with pytest.raises(AttributeError, match=name):
            env.get_attr(name)
        assert not env.has_attr(name)
        assert env.env_method("has_wrapper_attr", name) == [False, False]


def test_specs_and_times(played):
    theirs, ours = played
    assert [s.id for s in ours.get_attr("spec")] == [s.id for s in theirs.get_attr("spec")]
    for env in played:
        for seconds in env.env_method("get_episode_times"):
            assert [0, *seconds] == sorted([0, *seconds])


def test_what_is_set_is_read_again_and_changes_no_game(played):
    for env in played:
        env.set_attr("noop_max", 3, indices=[1])
        assert env.get_attr("noop_max") == [30, 3]
        assert env.get_attr("noop_max", indices=np.int64(1)) == [3] if env is played[1] else True
        assert env.env_method("get_wrapper_attr", "noop_max") == [30, 3]


@pytest.mark.parametrize(
    ("game", "protocol", "training"),
    [("Breakout", "v4", True), ("Freeway", "v4", False), ("Breakout", "v5", True)],
)
def test_wrappers(game, protocol, training):
    theirs, ours = pair(game, 1, protocol=protocol, training=training)
    wrappers = [
        *(getattr(atari_wrappers, name) for name in dir(atari_wrappers) if name.endswith("Env")),
        atari_wrappers.AtariWrapper,
        atari_wrappers.WarpFrame,
        Monitor,
        gym.Wrapper,
        gym.RewardWrapper,
        gym.ObservationWrapper,
        gym.ActionWrapper,
        gym.wrappers.TimeLimit,
        gym.wrappers.OrderEnforcing,
        gym.wrappers.PassiveEnvChecker,
        VecFrameStack,
    ]
    assert len(wrappers) >= 16
    for wrapper in wrappers:
        assert ours.env_is_wrapped(wrapper) == theirs.env_is_wrapped(wrapper), wrapper
    assert ours.has_attr("action_repeat_probability") == (protocol == "v5")


def test_reset_and_step_by_name():
    theirs, ours = pair("Breakout", 1)
    for name, arguments in [
        ("reset", {"seed": 3}),
        ("step", {"action": 2}),
        ("step", {"action": 3}),
    ]:
        (wanted,), (got,) = (env.env_method(name, **arguments) for env in (theirs, ours))
        np.testing.assert_array_equal(got[0], wanted[0], strict=True)
        assert got[1:-1] == wanted[1:-1]
        keys = ("lives", "episode_frame_number", "frame_number")
        assert [got[-1].get(key) for key in keys] == [wanted[-1].get(key) for key in keys]
