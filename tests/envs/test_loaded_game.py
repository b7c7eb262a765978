"""A game begins anew without being loaded again: for ALE, seed and history leave no trace."""

from __future__ import annotations

import os

import numpy as np
import pytest
from ale_py.env import AtariEnv

from coordconv_rl.envs.atari import AtariVecEnv
from coordconv_rl.envs.games import ROM_IDS
from coordconv_rl.envs.loaded_game import LoadedGame, give_back_game, take_game

SOME = ["kung_fu_master", "skiing"]  # EXACT_GAMES=all: every game
ROMS = sorted(set(ROM_IDS.values())) if os.environ.get("EXACT_GAMES") == "all" else SOME


def played(game: AtariEnv, frames: int) -> list[bytes]:
    """Everything that some random frames show, and the emulator's state at their end."""
    rng = np.random.default_rng(frames)
    seen = []
    for _ in range(frames):
        reward = game.ale.act(game._action_set[rng.integers(len(game._action_set))])
        seen.append(bytes([int(reward) % 251]) + game.ale.getScreen().tobytes())
    return [*seen, game.ale.cloneState(include_rng=False).serialize()]


@pytest.mark.parametrize("rom", ROMS)
def test_a_seed_after_play_equals_gymnasiums_fresh_load(rom: str) -> None:
    ours = take_game(rom, full_action_space=False)
    ours.reset(seed=11)
    played(ours, 90)
    theirs = AtariEnv(rom, frameskip=1, repeat_action_probability=0.0, render_mode="rgb_array",
                      max_num_frames_per_episode=108_000)  # fmt: skip
    for game in (ours, theirs):
        game.reset(seed=-5 % 2**32)
    assert ours.np_random.bit_generator.state == theirs.np_random.bit_generator.state
    assert played(ours, 60) == played(theirs, 60)


def test_a_game_that_was_given_back_is_as_new() -> None:
    first = take_game("breakout", full_action_space=False)
    new = first.ale.cloneState(include_rng=True).serialize()
    played(first, 40)
    give_back_game(first)
    again = take_game("breakout", full_action_space=False)
    assert again is first
    assert again.ale.cloneState(include_rng=True).serialize() == new
    assert take_game("breakout", full_action_space=True) is not first


def test_closing_gives_games_back_once(monkeypatch) -> None:
    loads = []
    load = AtariEnv.load_game
    monkeypatch.setattr(AtariEnv, "load_game", lambda game: (loads.append(1), load(game)))
    first = AtariVecEnv("Qbert", 2)
    first.close()
    second = AtariVecEnv("Qbert", 2)
    first.close()  # SB3 closes twice; the games are the second one's by now
    third = AtariVecEnv("Qbert", 1)
    held = [game for env in (second, third) for game in env.get_attr("env")]
    assert len({id(game) for game in held}) == 3
    assert len(loads) <= 3
    assert all(isinstance(game, LoadedGame) for game in held)
