import json

import numpy as np
import pytest
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

from coordconv_rl.envs.minatar import MinAtarVecEnv
from coordconv_rl.envs.minatar.vec_env import KINDS
from coordconv_rl.errors import InputError


def told(info):
    """Return what SB3 reads of an info, without the clock."""
    episode = info.get("episode")
    return {
        "cut": info["TimeLimit.truncated"],
        "last": info["terminal_observation"].tolist() if "terminal_observation" in info else None,
        "episode": None if episode is None else (episode["r"], episode["l"]),
    }


@pytest.mark.parametrize("minimal", [True, False])
@pytest.mark.parametrize("game", KINDS)
def test_is_the_original_in_sb3_s_dummy_vec_env(game, minimal):
    pytest.importorskip("minatar")
    from minatar_reference import reference_env

    theirs = reference_env(game, 4, seed=7, minimal=minimal)
    ours = MinAtarVecEnv(game, 4, seed=7, full_action_space=not minimal)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    rng = np.random.default_rng(0)
    episodes = 0
    for step in range(600):
        if step in (0, 450):  # the second time nobody seeds
            assert np.array_equal(ours.reset(), theirs.reset())
        actions = rng.integers(ours.action_space.n, size=4)
        mine, other = ours.step(actions), theirs.step(actions)
        for found, expected in zip(mine[:3], other[:3], strict=True):
            assert found.dtype == expected.dtype
            assert np.array_equal(found, expected)
        assert [told(info) for info in mine[3]] == [told(info) for info in other[3]]
        episodes += mine[2].sum()
    assert episodes > 5 or game == "freeway"


def test_returned_arrays_are_the_caller_s():
    env = MinAtarVecEnv("breakout", 2)
    first = env.reset()
    kept = first.copy()
    second, *_ = env.step(np.array([0, 1]))
    assert np.array_equal(first, kept)
    second[:] = 1
    assert not np.array_equal(env.step(np.array([0, 1]))[0], second)


def test_a_cut_game_is_a_truncation():
    env = MinAtarVecEnv("freeway", 2, max_steps=5)
    env.reset()
    for _ in range(5):
        observations, _, dones, infos = env.step(np.array([1, 2]))
    assert dones.tolist() == [True, True]
    assert [info["TimeLimit.truncated"] for info in infos] == [True, True]
    assert [info["episode"]["l"] for info in infos] == [5, 5]
    assert infos[0]["terminal_observation"].shape == env.observation_space.shape
    assert env.get_attr("game_steps") == [0, 0]
    assert observations[0, 0, 9, 4] == 255  # the chicken is at the start


@pytest.mark.parametrize("game", KINDS)
def test_a_snapshot_goes_on_the_same(game):
    env, other = MinAtarVecEnv(game, 3, seed=1), MinAtarVecEnv(game, 3, seed=9)
    rng = np.random.default_rng(0)
    env.reset()
    for _ in range(70):
        observations, *_ = env.step(rng.integers(env.action_space.n, size=3))
    state = env.snapshot()
    state["json"] = json.loads(json.dumps(state["json"]))
    assert np.array_equal(other.restore(state), observations)
    for _ in range(300):
        actions = rng.integers(env.action_space.n, size=3)
        mine, theirs = env.step(actions), other.step(actions)
        assert all(np.array_equal(a, b) for a, b in zip(mine[:3], theirs[:3], strict=True))
        assert [told(info) for info in mine[3]] == [told(info) for info in theirs[3]]


def test_a_snapshot_of_something_else_is_refused():
    state = MinAtarVecEnv("breakout", 2).snapshot()
    with pytest.raises(InputError, match="minatar/asterix"):
        MinAtarVecEnv("asterix", 2).restore(state)
    with pytest.raises(InputError, match="n_envs"):
        MinAtarVecEnv("breakout", 3).restore(state)
    state["json"]["environments"][1]["dx"] = None
    with pytest.raises(InputError, match="damaged"):
        MinAtarVecEnv("breakout", 2).restore(state)


def test_numpy_integers_are_integers():
    settings = {"n_envs": 3, "seed": 254, "max_steps": 20}
    kinds = {"n_envs": np.int64, "seed": np.uint8, "max_steps": np.int32}
    plain = MinAtarVecEnv("breakout", **settings)
    numpy = MinAtarVecEnv("breakout", **{name: kinds[name](settings[name]) for name in settings})
    for env in (plain, numpy):
        env.seed(np.uint8(255) if env is numpy else 255)
    said = [env.snapshot()["json"] | {"environments": None} for env in (numpy, plain)]
    assert json.dumps(said[0]) == json.dumps(said[1])
    assert np.array_equal(numpy.reset(), plain.reset())
    for step in range(25):
        actions = np.arange(3) + step
        found, wanted = (env.step(actions % env.action_space.n) for env in (numpy, plain))
        assert all(np.array_equal(a, b) for a, b in zip(found[:3], wanted[:3], strict=True))
    state = numpy.snapshot()
    state["json"] = json.loads(json.dumps(state["json"]))
    assert np.array_equal(plain.restore(state), found[0])
    assert numpy.get_attr("game_steps", np.int64(1)) == numpy.get_attr("game_steps", 1)
    assert numpy.env_is_wrapped(Monitor, np.int64(0)) == [True]


def test_pictures_to_watch():
    env = MinAtarVecEnv("seaquest", 2)
    env.reset()
    first, _ = env.get_images()
    assert first.shape == (160, 160, 3)
    assert first.dtype == np.uint8
    assert len(np.unique(first.reshape(-1, 3), axis=0)) == 4  # black, two of the boat, oxygen
    assert env.render().shape == (320, 160, 3)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"game": "pong"}, "unknown MinAtar game"), ({"n_envs": 0}, "n_envs"), ({"seed": -1}, "seed"),
    ({"max_steps": 0}, "max_steps"), ({"n_envs": 2.0}, "n_envs"), ({"seed": 2.5}, "seed"),
    ({"max_steps": 2.5}, "max_steps"), ({"seed": 2**32 - 7}, "seed"),
])  # fmt: skip
def test_arguments_that_make_no_sense(arguments, message):
    with pytest.raises(InputError, match=message):
        MinAtarVecEnv(**{"game": "breakout", **arguments})


@pytest.mark.parametrize("actions", [[0], [0, 3], [-1, 0], [0.0, 1.0]])
def test_actions_that_make_no_sense(actions):
    env = MinAtarVecEnv("breakout", 2)
    env.reset()
    with pytest.raises(InputError, match="actions"):
        env.step(np.array(actions))


def test_sb3_can_judge_in_it():
    class Still:
        def predict(self, observation, **_):
            return np.zeros(len(observation), np.int64), None

    env = MinAtarVecEnv("breakout", 3)
    assert env.env_is_wrapped(Monitor) == [True] * 3
    scores, lengths = evaluate_policy(Still(), env, 6, return_episode_rewards=True)
    assert len(scores) == len(lengths) == 6
