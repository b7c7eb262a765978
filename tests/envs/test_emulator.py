"""The test that the environment lives by: bit for bit SB3's own stack."""

from __future__ import annotations

import os

import ale_py
import numpy as np
import pytest
from envs_reference import assert_same_steps, pair

from coordconv_rl.envs.screen import Screen
from coordconv_rl.envs.settings import FRAME_CAP

# (game, protocol, training, all 18 actions): with and without FIRE, with one life and with many,
# of every height and colour standard that ALE has.
CASES = [
    ("Breakout", "v4", True, False),  # FIRE, five lives
    ("Breakout", "v5", True, False),
    ("Pong", "v4", True, False),  # FIRE, no lives
    ("Qbert", "v4", True, False),  # stays at 0 lives for some frames
    ("Qbert", "v4", False, False),
    ("SpaceInvaders", "v4", True, False),  # sprites flicker
    ("BeamRider", "v4", True, False),  # most of the screen moves
    ("Seaquest", "v5", True, True),
    ("MsPacman", "v4", True, False),  # no FIRE, three lives
    ("MsPacman", "v4", False, False),
    ("Freeway", "v4", True, False),  # no FIRE, no lives
    ("Skiing", "v4", True, False),  # no FIRE, large negative rewards, short games
    ("Skiing", "v5", False, False),
    ("Asterix", "v4", True, False),  # no FIRE
    ("Boxing", "v5", True, False),
    ("Atlantis", "v4", True, False),  # six lives
    ("Pooyan", "v4", True, False),  # 220 lines
    ("AirRaid", "v4", True, False),  # 250 lines, PAL colours
    ("Pacman", "v4", True, False),  # registered under v5 names only
]
GAMES_END = {"Breakout", "Qbert"}
STEPS = int(os.environ.get("EXACT_STEPS", "400"))  # of each of two environments


@pytest.mark.parametrize(("game", "protocol", "training", "full"), CASES)
def test_equals_sb3(game: str, protocol: str, training: bool, full: bool) -> None:
    theirs, ours = pair(game, protocol=protocol, training=training, full_action_space=full)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    rng = np.random.default_rng(11)
    seen = assert_same_steps(theirs, ours, STEPS, rng=rng, resets=(0, 40, 41))
    if protocol == "v4" and game in GAMES_END:
        assert seen["episodes"] >= 2
        assert seen["games"] >= 1
    theirs.close()
    ours.close()


@pytest.mark.parametrize(
    ("game", "protocol", "size", "workers"),
    [("Breakout", "v4", 168, 0), ("AirRaid", "v4", 168, 0), ("Qbert", "v5", 50, 2)],
)
def test_images_of_another_size_equal_sb3s(
    game: str, protocol: str, size: int, workers: int
) -> None:
    theirs, ours = pair(game, protocol=protocol, screen_size=size, workers=workers)
    assert ours.observation_space == theirs.observation_space
    for name in ("observation_space", "width", "height"):
        assert ours.get_attr(name)[0] == theirs.get_attr(name)[0]
    rng = np.random.default_rng(3)
    assert_same_steps(theirs, ours, 100, rng=rng, resets=(0, 40))
    theirs.close()
    ours.close()


def test_a_new_seed_equals_sb3() -> None:
    theirs, ours = pair("Breakout", 3)
    rng = np.random.default_rng(1)
    assert_same_steps(theirs, ours, 30, rng=rng, resets=(0,))
    assert ours.seed(123) == theirs.seed(123)
    assert_same_steps(theirs, ours, 100, rng=rng, resets=(0, 50))


def test_the_frame_cap_equals_sb3() -> None:
    theirs, ours = pair("Bowling", 1)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    (our_ale,), (their_ale,) = ours.get_attr("ale"), theirs.get_attr("ale")
    while our_ale.getEpisodeFrameNumber() < FRAME_CAP - 402:  # Bowling waits for ever.
        our_ale.act(0)
    their_ale.restoreState(our_ale.cloneState(include_rng=True))
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
