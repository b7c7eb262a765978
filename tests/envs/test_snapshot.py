from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from envs_reference import assert_same_array, assert_same_infos
from open_games import atari

from coordconv_rl.envs import loaded_game
from coordconv_rl.envs.atari import AtariVecEnv
from coordconv_rl.envs.games import GAMES
from coordconv_rl.errors import InputError

SOME_GAMES = ["Qbert", "Tetris", "Amidar", "KungFuMaster", "UpNDown"]  # EXACT_GAMES=all: every game

REPLAY = """
import json, sys
import numpy as np
from coordconv_rl.envs.atari import AtariVecEnv
state = {"json": json.load(open(sys.argv[1])), "arrays": dict(np.load(sys.argv[2]))}
env = AtariVecEnv("SpaceInvaders", 2, seed=5, workers=2)
observations = [env.restore(state)]
rng = np.random.default_rng(4)
rewards = []
for _ in range(100):
    obs, reward, _, _ = env.step(rng.integers(6, size=2))
    observations.append(obs)
    rewards.append(reward)
np.savez(sys.argv[3], observations=np.stack(observations), rewards=np.stack(rewards))
env.close()
"""


def play(env: AtariVecEnv, steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        env.step(rng.integers(env.action_space.n, size=env.num_envs))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("game", "protocol", "workers", "other_workers", "steps"),
    [
        ("Breakout", "v4", 0, 2, 220),
        ("MsPacman", "v5", 2, 0, 430),
    ],
)
def test_the_next_hundreds_of_steps_repeat(
    game: str, protocol: str, workers: int, other_workers: int, steps: int
) -> None:
    first = atari(game, 2, protocol=protocol, workers=workers)
    first.reset()
    play(first, 137, seed=0)
    state = first.snapshot()
    state["json"] = json.loads(json.dumps(state["json"]))
    second = atari(game, 2, seed=99, protocol=protocol, workers=other_workers)
    second.reset()
    play(second, 20, seed=1)
    last = second.restore(copy.deepcopy(state))
    np.testing.assert_array_equal(last, first.restore(state))
    rng = np.random.default_rng(2)
    games = 0
    for _ in range(steps):
        actions = rng.integers(first.action_space.n, size=2)  # type: ignore[attr-defined]
        expected, got = first.step(actions), second.step(actions)
        for wanted, array in zip(expected[:3], got[:3], strict=True):
            assert_same_array(array, wanted)
        assert_same_infos(expected[3], got[3])
        games += sum("episode" in info for info in got[3])
    assert games >= 2


def test_a_snapshot_before_the_first_reset_keeps_the_seeds() -> None:
    first, second = atari("Pong", 2, seed=3), atari("Pong", 2, seed=4)
    second.restore(first.snapshot())
    np.testing.assert_array_equal(first.reset(), second.reset())
    np.testing.assert_array_equal(first.reset(), second.reset())


@pytest.mark.parametrize("game", GAMES if os.environ.get("EXACT_GAMES") == "all" else SOME_GAMES)
def test_an_emulator_that_never_played_goes_on(game: str, monkeypatch) -> None:
    """ALE's states lack whether a frame is unfinished, as it is where Qbert begins."""
    odd = game in ("Backgammon", "VideoCheckers")  # without a no-op among their own actions
    rules = {"protocol": "v5", "full_action_space": True} if odd else {}
    monkeypatch.setattr(loaded_game, "_spare", {})  # with games that have played
    first, second = (AtariVecEnv(game, 1, seed=seed, **rules) for seed in (1, 9))
    first.reset()
    play(first, 60, seed=0)
    second.restore(first.snapshot())
    rng = np.random.default_rng(1)
    for _ in range(40):
        actions = rng.integers(first.action_space.n, size=1)  # type: ignore[attr-defined]
        for wanted, array in zip(first.step(actions)[:3], second.step(actions)[:3], strict=True):
            np.testing.assert_array_equal(array, wanted)


def test_a_fresh_process_goes_on(tmp_path: Path) -> None:
    env = atari("SpaceInvaders", 2, seed=5)
    env.reset()
    play(env, 60, seed=3)
    state = env.snapshot()
    (tmp_path / "state.json").write_text(json.dumps(state["json"]))
    np.savez(tmp_path / "state.npz", **state["arrays"])
    observations, rewards = [env.restore(state)], []
    rng = np.random.default_rng(4)
    for _ in range(100):
        obs, reward, _, _ = env.step(rng.integers(6, size=2))
        observations.append(obs)
        rewards.append(reward)
    files = [str(tmp_path / name) for name in ("state.json", "state.npz", "out.npz")]
    subprocess.run([sys.executable, "-c", REPLAY, *files], check=True)
    with np.load(files[2]) as out:
        np.testing.assert_array_equal(out["observations"], np.stack(observations))
        np.testing.assert_array_equal(out["rewards"], np.stack(rewards))


def test_images_of_another_size_go_on_and_go_nowhere_else() -> None:
    first, second = (atari("Breakout", 2, seed=seed, screen_size=60) for seed in (1, 9))
    first.reset()
    play(first, 30, seed=0)
    state = first.snapshot()
    np.testing.assert_array_equal(second.restore(state), state_stacks(state))
    rng = np.random.default_rng(1)
    for _ in range(40):
        actions = rng.integers(4, size=2)
        for wanted, array in zip(first.step(actions)[:3], second.step(actions)[:3], strict=True):
            np.testing.assert_array_equal(array, wanted)
    usual = atari("Breakout", 2)
    with pytest.raises(InputError, match="screen_size 60, this environment 84"):
        usual.restore(state)
    earlier = usual.snapshot()
    del earlier["json"]["screen_size"]  # as versions wrote it that had 84 alone
    usual.restore(earlier)
    with pytest.raises(InputError, match="screen_size 84, this environment 60"):
        second.restore(earlier)


def state_stacks(state: dict) -> np.ndarray:
    return np.stack([state["arrays"][f"{index}.stack"] for index in (0, 1)])


def test_arrays_are_plain_bytes() -> None:
    env = atari("Pong", 2)
    env.reset()
    state = env.snapshot()
    assert set(state["arrays"]) == {
        f"{i}.{n}" for i in (0, 1) for n in ("emulator", "frames", "stack")
    }
    assert all(array.dtype == np.uint8 for array in state["arrays"].values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"game": "Breakout"}, "game 'Pong', this environment 'Breakout'"),
        ({"n_envs": 3}, "n_envs 2, this environment 3"),
        ({"protocol": "v5"}, "protocol 'v4', this environment 'v5'"),
        ({"training": False}, "training True, this environment False"),
    ],
)
def test_a_foreign_snapshot_is_refused(arguments: dict[str, object], message: str) -> None:
    state = atari("Pong", 2).snapshot()
    other = atari(**{"game": "Pong", "n_envs": 2, **arguments})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        other.restore(state)


@pytest.fixture(scope="module", params=[0, 2])
def playing(request) -> Iterator[AtariVecEnv]:
    env = AtariVecEnv("Pong", 2, workers=request.param)
    env.reset()
    yield env
    env.close()


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("damage", ["missing", "short", "shape", "field"])
def test_a_damaged_snapshot_is_refused(damage: str, index: int, playing: AtariVecEnv) -> None:
    state = playing.snapshot()
    arrays = state["arrays"]
    if damage == "missing":
        del arrays[f"{index}.stack"]
    elif damage == "short":
        arrays[f"{index}.emulator"] = arrays[f"{index}.emulator"][:999]
    elif damage == "shape":
        arrays[f"{index}.frames"] = arrays[f"{index}.frames"][:, :99]
    else:
        del state["json"]["environments"][index]["np_random"]["state"]
    with pytest.raises(InputError, match="snapshot is damaged"):
        playing.restore(state)
    playing.restore(playing.snapshot())
