import pytest

pytest.importorskip("minatar")

import numpy as np
from minatar_reference import WAYS, agree_from_states, agree_in_play, board, coin, integer

from coordconv_rl.envs.minatar.boards import BITS
from coordconv_rl.envs.minatar.space_invaders import WAVE, SpaceInvaders


def shoot(theirs, rng):
    """Walk out of the way of bullets, and shoot."""
    if theirs.e_bullet_map[6:, theirs.pos].any():
        return 1 if theirs.pos > 4 else 3
    return 5 if coin(rng, 0.7) else rng.choice([0, 1, 3])


def put(theirs, ours, rng):
    def some(chance):
        return (rng.random((10, 10)) < chance).astype(float)

    top, left = integer(rng, 0, 7), integer(rng, 0, 5)
    theirs.alien_map = np.zeros((10, 10))
    theirs.alien_map[top : top + 4, left : left + 6] = some(rng.choice([0.05, 0.9]))[:4, :6]
    theirs.alien_map[top, left] = 1
    theirs.f_bullet_map, theirs.e_bullet_map = some(0.05), some(0.05)
    theirs.f_bullet_map[9] = 0
    theirs.pos, theirs.alien_dir = integer(rng, 0, 10), WAYS[coin(rng)]
    theirs.enemy_move_interval = integer(rng, 6, 13)
    theirs.alien_move_timer, theirs.alien_shot_timer = integer(rng, 0, 3), integer(rng, 0, 3)
    theirs.shot_timer = integer(rng, 0, 3)
    ours.aliens = board(theirs.alien_map)
    ours.shots, ours.bullets = board(theirs.f_bullet_map), board(theirs.e_bullet_map)
    ours.cannon, ours.way, ours.every = theirs.pos, theirs.alien_dir, theirs.enemy_move_interval
    ours.move_in, ours.fire_in = theirs.alien_move_timer, theirs.alien_shot_timer
    ours.reload = theirs.shot_timer


def test_plays_as_the_original():
    total, games = agree_in_play(SpaceInvaders, "space_invaders", shoot, 3000)
    assert total > 200
    assert games > 5


def test_goes_on_as_the_original_from_any_state():
    agree_from_states(SpaceInvaders, "space_invaders", put, 600)


def test_a_new_wave_is_faster():
    game = SpaceInvaders()
    game.aliens = game.shots = 0
    game.aliens, game.shots = BITS[45], BITS[55]  # the shot moves up into the last alien
    assert game._play(0) == 1
    assert game.aliens == WAVE
    assert game.every == 11


def test_the_nearest_alien_shoots_from_its_column_s_lowest_cell():
    game = SpaceInvaders()
    game.cannon = 5
    game.aliens = BITS[14] | BITS[34] | BITS[16] | BITS[7]
    assert game._nearest_alien() == BITS[34]  # columns 4 and 6 are as near: the left one
