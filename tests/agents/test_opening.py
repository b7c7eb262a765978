"""What evaluate and watch open: folders, our zips, SB3's, and strangers'."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_agent import train_small
from stable_baselines3 import PPO

from coordconv_rl.agents import export_sb3
from coordconv_rl.agents.opening import Opening, open_agent
from coordconv_rl.cli.main import main
from coordconv_rl.envs import AtariVecEnv, MinAtarVecEnv
from coordconv_rl.errors import InputError
from coordconv_rl.sb3 import CoordConvExtractor


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return train_small(tmp_path_factory.mktemp("run"))


def test_a_folder_and_its_zip_are_the_same_agent(folder, tmp_path, capsys):
    file = export_sb3(folder, tmp_path / "agent.zip")
    (first, config), (second, again) = (open_agent(path, Opening()) for path in (folder, file))
    assert config == again
    assert first.num_timesteps == second.num_timesteps == 64
    seen = first.get_env().reset().repeat(9, axis=0)
    assert (
        first.predict(seen, deterministic=True)[0] == second.predict(seen, deterministic=True)[0]
    ).all()
    video = tmp_path / "game.webm"
    assert main(["watch", str(file), "--video", str(video), "--seed", "3", "--greedy"]) == 0
    assert main(["watch", str(folder), "--video", str(video), "--seed", "3", "--greedy"]) == 0
    one, other = capsys.readouterr().out.splitlines()
    assert one == other
    assert "one game, score" in one


def test_a_zip_that_says_no_game_needs_one_and_its_pickle_needs_trust(tmp_path):
    env = MinAtarVecEnv("breakout", 2)
    kwargs = {"net_arch": [8], "normalize_images": False}
    file = tmp_path / "agent.zip"
    PPO("MlpPolicy", env, n_steps=16, batch_size=16, policy_kwargs=kwargs).save(file)
    with pytest.raises(InputError, match="add --game"):
        open_agent(file, Opening())
    how = Opening(game="minatar/breakout")
    with pytest.raises(InputError, match=r"own \(net_arch, normalize_images\).*--trust-pickle"):
        open_agent(file, how)
    model, config = open_agent(file, Opening(game="minatar/breakout", trust_pickle=True))
    assert model.policy.net_arch == [8]
    assert config.game == "minatar/breakout"


def test_a_network_of_somebodys_own_is_named_after_its_file(tmp_path):
    file = tmp_path / "coordconv.zip"
    kwargs = {"features_extractor_class": CoordConvExtractor, "net_arch": []}
    PPO("CnnPolicy", AtariVecEnv("Pong", 1), n_steps=8, policy_kwargs=kwargs).save(file)
    how = Opening(game="Pong", trust_pickle=True, protocol="v5")
    with pytest.raises(InputError, match=r"no agent of Breakout: .*\(6\) != Discrete\(4\)"):
        open_agent(file, replace(how, game="Breakout"))
    model, config = open_agent(file, how)
    assert isinstance(model.policy.features_extractor, CoordConvExtractor)
    assert (config.run_id, config.played) == ("ppo/Pong/coordconv.zip/seed-0", "v5")


def test_a_folder_says_itself_what_it_plays(folder):
    for how in (Opening(game="Pong"), Opening(algo="a2c"), Opening(protocol="v5")):
        with pytest.raises(InputError, match="says itself what it plays and how"):
            open_agent(folder, how)


def test_evaluate_and_watch_refuse_alike(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (["evaluate"], ["watch", "--video", "a.webm"]):
        assert main([words[0], "none.zip", *words[1:]]) == 2
        assert "there is no none.zip" in capsys.readouterr().err
