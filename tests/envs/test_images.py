import os
import signal
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from image_games import Dot
from stable_baselines3.common.env_checker import check_env

from coordconv_rl.envs.image_game import ImageGame
from coordconv_rl.envs.images import make_image_env, maker
from coordconv_rl.errors import InputError

DOT = ImageGame("image_games:dot", {"images": "bytes_first"})


def test_a_function_is_imported_only_if_trusted():
    with pytest.raises(InputError, match="trust-code"):
        make_image_env(DOT, 1)
    two = make_image_env(DOT, 2, seed=5, trust=True).reset()
    assert two.shape == (2, 3, 40, 48)
    assert np.array_equal(two[1:], make_image_env(DOT, 1, seed=6, trust=True).reset())


def test_numpy_integers_are_integers():
    values = {"max_steps": 3, "skip": 2, "resize": 20, "stack": 2}
    plain = ImageGame("image_games:dot", {"length": 9}, **values)
    kwargs = {name: np.int64(value) for name, value in values.items()}
    numpy = ImageGame("image_games:dot", {"length": np.int64(9)}, **kwargs)
    ours = make_image_env(numpy, np.int64(3), seed=np.uint8(254), trust=True)
    other = make_image_env(plain, 3, seed=254, trust=True)
    assert np.array_equal(ours.reset(), other.reset())
    for _ in range(4):
        for found, wanted in zip(ours.step([1, 0, 1])[:3], other.step([1, 0, 1])[:3], strict=True):
            assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    "arguments", [{"n_envs": 2.0}, {"n_envs": 0}, {"seed": 2.5}, {"seed": "1"}, {"seed": -1}]
)
def test_arguments_that_make_no_sense(arguments):
    with pytest.raises(InputError, match=f"{next(iter(arguments))} is"):
        make_image_env(DOT, **{"n_envs": 1, "trust": True} | arguments)


def test_a_module_that_breaks_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "broken_game_for_this_test.py").write_text("raise KeyError('two\\nlines')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"KeyError.*try python -m broken_game_for") as caught:
        make_image_env(ImageGame("broken_game_for_this_test:dot"), 1, trust=True)
    assert "\n" not in str(caught.value)


def test_scores_and_ends_are_sb3_s():
    env = make_image_env(DOT, 2, trust=True)
    env.reset()
    for _ in range(8):
        _, _, dones, infos = env.step(np.array([1, 0]))
        if not dones[0]:
            returns = env.get_attr("game_return")
    assert returns == [7.0, 0.0]
    assert dones.all()
    assert [info["episode"]["r"] for info in infos] == [8.0, 0.0]
    assert [info["episode"]["l"] for info in infos] == [8, 8]
    assert infos[0]["terminal_observation"].shape == (3, 40, 48)
    assert not infos[0]["TimeLimit.truncated"]
    assert env.get_images()[0].shape == (40, 48, 3)


def test_a_picture_shows_what_any_channel_has():
    env = make_image_env(ImageGame("image_games:dot", {"images": "bools"}), 1, trust=True)
    seen = env.reset()[0]
    assert not seen[0].any()  # the dot is in the last of four channels
    assert np.array_equal(env.get_images()[0], seen.max(0)[..., None].repeat(3, axis=2))
    assert env.get_images()[0].any()


def test_games_are_cut():
    env = make_image_env(ImageGame("image_games:dot", max_steps=3), 1, trust=True)
    env.reset()
    for _ in range(3):
        *_, dones, infos = env.step(np.array([0]))
    assert dones[0]
    assert infos[0]["TimeLimit.truncated"]


@pytest.mark.parametrize("images", ["bytes_last", "bytes_first", "grey", "floats_first", "bools"])
@pytest.mark.parametrize("more", [{}, {"resize": 20, "stack": 3, "skip": 2}])
def test_sb3_finds_nothing_wrong(images, more):
    grey = bool(more) and images in ("bytes_last", "bytes_first", "grey")
    game = ImageGame("image_games:dot", {"images": images}, grey=grey, **more)
    env = maker(game, trust=True)()
    check_env(env, skip_render_check=False)
    assert env.observation_space.shape[1:] == ((20, 20) if more else (40, 48))


def test_the_wrappers_are_gymnasium_s():
    pytest.importorskip("Box2D")
    game = ImageGame("CarRacing-v3", skip=2, resize=32, grey=True, stack=2)
    ours = make_image_env(game, 1, seed=1)
    theirs = gym.make("CarRacing-v3")
    theirs = wrappers.MaxAndSkipObservation(theirs, 2)
    theirs = wrappers.GrayscaleObservation(wrappers.ResizeObservation(theirs, (32, 32)))
    theirs = wrappers.FrameStackObservation(theirs, 2)
    assert np.array_equal(ours.reset()[0], theirs.reset(seed=1)[0])
    for _ in range(5):
        action = np.array([0.3, 0.8, 0.0], np.float32)
        assert np.array_equal(ours.step(action[None])[0][0], theirs.step(action)[0])
    assert ours.get_images()[0].ndim == 3


def test_only_colours_become_grey():
    game = ImageGame("image_games:dot", {"images": "floats_first"}, grey=True)
    with pytest.raises(InputError, match="2 channels"):
        make_image_env(game, 1, trust=True)


def test_processes_play_the_same():
    here = make_image_env(DOT, 2, seed=1, trust=True)
    there = make_image_env(DOT, 2, seed=1, trust=True, processes=True)
    try:
        assert np.array_equal(here.reset(), there.reset())
        actions = np.array([1, 0])
        for _ in range(10):
            assert np.array_equal(here.step(actions)[0], there.step(actions)[0])
    finally:
        there.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_processes_leave_signals_to_the_one_that_trains(number):
    env = make_image_env(DOT, 2, trust=True, processes=True)
    env.reset()
    for process in env.processes:
        os.kill(process.pid, number)
    env.step(np.array([1, 0]))
    env.close()
    assert not any(process.is_alive() for process in env.processes)


def test_a_stack_that_sb3_would_take_for_rows_is_refused():
    game = ImageGame("image_games:dot", {"images": "bytes_last"}, resize=20, stack=7)
    with pytest.raises(InputError, match=r"\(21, 20, 20\) .* stack fewer images"):
        make_image_env(game, 1, trust=True)
    assert make_image_env(replace(game, stack=6), 1, trust=True).observation_space.shape[0] == 18


def test_bytes_between_other_bounds_are_scaled():
    env = make_image_env(ImageGame("image_games:dot", {"images": "levels"}), 1, trust=True)
    assert set(np.unique(env.reset())) == {0, 255}


def test_an_id_that_was_registered_with_a_class():
    gym.register("Dot-v7", Dot)
    try:
        assert make_image_env(ImageGame("Dot-v7"), 1).observation_space.shape == (3, 40, 48)
    finally:
        gym.registry.pop("Dot-v7")


@pytest.mark.parametrize(("make", "kwargs", "message"), [
    ("image_games:vector", {}, "vector observes Box"),
    ("image_games:nothing", {}, "returns NoneType"),
    ("image_games:failing", {}, "ValueError: no such maze"),
    ("image_games:dot", {"colour": 3}, "cannot be made: TypeError"),
    ("image_games:absent", {}, "no function absent"),
    ("no_such_module:make", {}, "cannot be imported"),
    ("CartPole-v1", {}, "CartPole-v1 observes Box"),
    ("CarRacing-v1", {}, "CarRacing-v3"),
])  # fmt: skip
def test_one_line_says_what_is_wrong(make, kwargs, message):
    with pytest.raises(InputError, match=message) as error:
        make_image_env(ImageGame(make, kwargs), 1, trust=True)
    assert "\n" not in str(error.value)
