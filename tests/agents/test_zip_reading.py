"""Zips are read without running what is in them, and only where that tells the whole network."""

from __future__ import annotations

import pickle
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_agent import small_config, train_small
from stable_baselines3 import A2C, DQN, PPO

from coordconv_rl.agents import export_sb3
from coordconv_rl.agents.zip_reading import NeedsPickle, read_zip, zip_config
from coordconv_rl.envs import AtariVecEnv
from coordconv_rl.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 4, 84, 84), dtype=np.uint8)


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path(self.path),)

    def __init__(self, path):
        self.path = str(path)


def changed(file: Path, other: Path, **members: bytes) -> Path:
    """Copy a zip with other contents for some members, or with further ones."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for name in {*old.namelist(), *members}:
            new.writestr(name, members[name] if name in members else old.read(name))
    return other


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """What somebody has who never heard of this package."""
    file = tmp_path_factory.mktemp("stock") / "agent.zip"
    env = AtariVecEnv("Pong", 1)
    model = A2C("CnnPolicy", env, seed=3)
    model.save(file)
    return model, file


def test_sb3s_own_network_needs_no_pickle(stock, tmp_path):
    model, file = stock
    config = zip_config(file, game="Pong", algo="a2c")
    ours = read_zip(file, config)
    expected = model.predict(IMAGES, deterministic=True)[0]
    assert np.array_equal(ours.predict(IMAGES, deterministic=True)[0], expected)


def test_a_zip_shows_the_size_of_its_images(tmp_path):
    model = PPO("CnnPolicy", AtariVecEnv("Pong", 1, screen_size=60), n_steps=8, batch_size=8)
    model.save(tmp_path / "small.zip")
    config = zip_config(tmp_path / "small.zip", game="Pong")
    assert (config.screen_size, config.algo) == (60, "ppo")
    ours, images = read_zip(tmp_path / "small.zip", config), IMAGES[..., :60, :60]
    expected = model.predict(images, deterministic=True)[0]
    assert np.array_equal(ours.predict(images, deterministic=True)[0], expected)


def test_a_zip_shows_its_algorithm(stock, tmp_path):
    _, file = stock
    assert zip_config(file, game="Pong").algo == "a2c"
    with pytest.raises(InputError, match="holds an agent of a2c, not of ppo: leave out --algo"):
        zip_config(file, game="Pong", algo="ppo")
    other = tmp_path / "dqn.zip"
    DQN("CnnPolicy", AtariVecEnv("Pong", 1), buffer_size=10).save(other)
    with pytest.raises(InputError, match="an agent of neither A2C nor PPO"):
        zip_config(other, game="Pong")


def test_pickle_in_a_zip_does_not_run(stock, tmp_path):
    _, file = stock
    mark = tmp_path / "mark"
    bomb = changed(file, tmp_path / "bomb.zip", **{"policy.pth": pickle.dumps(Bomb(mark))})
    with pytest.raises((NeedsPickle, InputError)):
        read_zip(bomb, zip_config(bomb, game="Pong", algo="a2c"))
    assert not mark.exists()


def test_another_network_is_not_taken_for_ours(stock):
    _, file = stock
    with pytest.raises(NeedsPickle, match="another network"):
        read_zip(file, zip_config(file, game="minatar/breakout", algo="a2c"))


def test_a_zip_of_ours_says_what_it_is(tmp_path):
    file = export_sb3(train_small(tmp_path / "run", "coordconv-pool"), tmp_path / "agent.zip")
    with pytest.raises(InputError, match="says itself what it plays and how: leave out --game"):
        zip_config(file, game="Pong")
    config = zip_config(file, game=None)
    assert config == small_config("coordconv-pool")
    assert read_zip(file, config).num_timesteps == 64
    broken = changed(file, tmp_path / "broken.zip", **{"run.yaml": b"algo: [1"})
    with pytest.raises(InputError, match=r"broken.zip: run.yaml is not valid YAML"):
        zip_config(broken, game=None)


@pytest.mark.parametrize("kind", ["STORED", "DEFLATED", "BZIP2", "LZMA"])
def test_a_part_that_is_damaged_is_named_in_one_line(tmp_path, kind):
    file = tmp_path / "agent.zip"
    with zipfile.ZipFile(file, "w", getattr(zipfile, f"ZIP_{kind}")) as archive:
        archive.writestr("run.yaml", random.Random(0).randbytes(3_000))
    content = bytearray(file.read_bytes())
    content[60:90] = bytes(255 - byte for byte in content[60:90])
    file.write_bytes(content)
    with pytest.raises(InputError, match="is no zip that SB3 saved") as caught:
        zip_config(file, game="Pong")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"no zip", b""])
def test_what_is_no_zip_of_sb3s_is_refused(tmp_path, content):
    file = tmp_path / "agent.zip"
    file.write_bytes(content)
    with pytest.raises(InputError, match="is no zip that SB3 saved"):
        zip_config(file, game="Pong")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("other", b"")
    with pytest.raises(InputError, match="it lacks data"):
        read_zip(file, zip_config(file, game="Pong"))
