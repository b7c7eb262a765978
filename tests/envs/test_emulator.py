"""The test that the environment lives by: bit for bit SB3's own stack."""

from __future__ import annotations

import os
import struct

import ale_py
import numpy as np
import pytest
from envs_reference import assert_same_steps, pair

from coordconv_rl.envs.screen import Screen
from coordconv_rl.envs.settings import FRAME_CAP

# (game, protocol, training, all 18 actions, environments, steps of each, least number of ends of
# episodes and of games among them): with and without FIRE, with one life and with many, of every
# height and colour standard that ALE has. EXACT_STEPS=10000: more steps of every game.
CASES = [
    ("Breakout", "v4", True, False, 2, 250, 10, 1),  # FIRE, five lives
    ("Breakout", "v5", True, False, 2, 230, 2, 2),
    ("Pong", "v4", True, False, 1, 150, 0, 0),  # FIRE, no lives
    ("Frogger", "v4", True, False, 1, 380, 4, 1),  # plays its last life at 0 lives
    ("Qbert", "v4", True, False, 1, 320, 5, 1),
    ("Qbert", "v4", False, False, 2, 380, 2, 2),
    ("SpaceInvaders", "v4", True, False, 2, 225, 3, 0),  # sprites flicker
    ("BeamRider", "v4", True, False, 1, 200, 0, 0),  # most of the screen moves
    ("Seaquest", "v5", True, True, 1, 200, 0, 0),
    ("MsPacman", "v4", True, False, 1, 190, 1, 0),  # no FIRE, three lives
    ("MsPacman", "v4", False, False, 1, 150, 0, 0),
    ("Freeway", "v4", True, False, 1, 150, 0, 0),  # no FIRE, no lives
    ("Skiing", "v4", True, False, 1, 150, 0, 0),  # no FIRE, large negative rewards, short games
    ("Skiing", "v5", False, False, 1, 150, 0, 0),
    ("Asterix", "v4", True, False, 1, 230, 3, 1),  # no FIRE
    ("Boxing", "v5", True, False, 1, 150, 0, 0),
    ("Atlantis", "v4", True, False, 2, 180, 1, 0),  # six lives
    ("Pooyan", "v4", True, False, 2, 190, 1, 0),  # 220 lines
    ("AirRaid", "v4", True, False, 1, 150, 0, 0),  # 250 lines, PAL colours
    ("Pacman", "v4", True, False, 1, 150, 1, 0),  # registered under v5 names only
]
STEPS = os.environ.get("EXACT_STEPS")


@pytest.mark.parametrize(
    ("game", "protocol", "training", "full", "n_envs", "steps", "episodes", "games"), CASES
)
def test_equals_sb3(
    game: str,
    protocol: str,
    training: bool,
    full: bool,
    n_envs: int,
    steps: int,
    episodes: int,
    games: int,
) -> None:
    theirs, ours = pair(game, n_envs, protocol=protocol, training=training, full_action_space=full)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    rng = np.random.default_rng(11)
    seen = assert_same_steps(theirs, ours, int(STEPS or steps), rng=rng, resets=(0, 40, 41))
    assert seen["episodes"] >= episodes
    assert seen["games"] >= games
    theirs.close()
    ours.close()


@pytest.mark.parametrize(
    ("game", "protocol", "size", "workers", "n_envs"),
    [("Breakout", "v4", 168, 0, 1), ("AirRaid", "v4", 168, 0, 1), ("Qbert", "v5", 50, 2, 2)],
)
def test_images_of_another_size_equal_sb3s(
    game: str, protocol: str, size: int, workers: int, n_envs: int
) -> None:
    theirs, ours = pair(game, n_envs, protocol=protocol, screen_size=size, workers=workers)
    assert ours.observation_space == theirs.observation_space
    for name in ("observation_space", "width", "height"):
        assert ours.get_attr(name)[0] == theirs.get_attr(name)[0]
    rng = np.random.default_rng(3)
    assert_same_steps(theirs, ours, 70, rng=rng, resets=(0, 40))
    theirs.close()
    ours.close()


def test_a_new_seed_equals_sb3() -> None:
    theirs, ours = pair("Breakout", 2)
    rng = np.random.default_rng(1)
    assert_same_steps(theirs, ours, 20, rng=rng, resets=(0,))
    assert ours.seed(123) == theirs.seed(123)
    assert_same_steps(theirs, ours, 60, rng=rng, resets=(0, 30))


def count_on(ale: ale_py.ALEInterface, frames: int) -> None:
    """Let the emulator go on as if it had played so many frames more, with nothing moved."""
    saved = bytearray(ale.cloneState(include_rng=True).serialize())
    counts = struct.Struct("<ii")  # of frames, in all and of this game
    found = counts.unpack_from(saved, 8)
    assert found == (ale.getFrameNumber(), ale.getEpisodeFrameNumber())
    counts.pack_into(saved, 8, *(count + frames for count in found))
    ale.restoreState(ale_py.ALEState(bytes(saved)))


def test_the_frame_cap_equals_sb3() -> None:
    theirs, ours = pair("Bowling", 1)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    (our_ale,), (their_ale,) = ours.get_attr("ale"), theirs.get_attr("ale")
    count_on(our_ale, FRAME_CAP - 402 - our_ale.getEpisodeFrameNumber())
    their_ale.restoreState(our_ale.cloneState(include_rng=True))
    for ale in (our_ale, their_ale):
        assert ale.getEpisodeFrameNumber() == FRAME_CAP - 402
    seen = assert_same_steps(theirs, ours, 150, rng=np.random.default_rng(2), resets=())
    assert seen == {"episodes": 1, "games": 1, "truncated": 1}


def test_colours_are_the_emulators() -> None:
    """Random memory makes games show colours that play seldom shows."""
    ale = ale_py.ALEInterface()
    rng = np.random.default_rng(3)
    for game in ("adventure", "air_raid", "breakout", "pacman", "kangaroo", "time_pilot"):
        ale.loadROM(ale_py.roms.get_rom_path(game))
        ale.reset_game()
        screen = Screen(*ale.getScreenDims())
        for _ in range(40):
            for address in rng.integers(128, size=30):
                ale.setRAM(int(address), int(rng.integers(256)))
            ale.act(0)
            np.testing.assert_array_equal(screen.colours(ale.getScreen()), ale.getScreenRGB())
