import pytest

pytest.importorskip("minatar")

import numpy as np
from minatar_reference import agree_from_states, agree_in_play, board, coin, integer

from coordconv_rl.envs.minatar.boards import BITS
from coordconv_rl.envs.minatar.breakout import WALL, Breakout

DIRECTIONS = {0: (-1, -1), 1: (1, -1), 2: (1, 1), 3: (-1, 1)}


def chase(theirs, rng):
    """Keep the paddle under the ball, most of the time."""
    if coin(rng, 0.1):
        return rng.choice([0, 1, 3])
    target = theirs.ball_x + DIRECTIONS[theirs.ball_dir][0]
    return 1 if theirs.pos > target else 3 if theirs.pos < target else 0


def put(theirs, ours, rng):
    theirs.ball_x, theirs.ball_y = integer(rng, 0, 10), integer(rng, 0, 9)
    theirs.ball_dir, theirs.pos = integer(rng, 0, 4), integer(rng, 0, 10)
    theirs.last_x, theirs.last_y = integer(rng, 0, 10), integer(rng, 0, 10)
    theirs.strike = coin(rng)
    theirs.brick_map = np.zeros((10, 10))
    theirs.brick_map[1:4] = rng.random((3, 10)) < rng.choice([0.0, 0.1, 0.5, 0.9])
    ours.ball_x, ours.ball_y, ours.paddle = theirs.ball_x, theirs.ball_y, theirs.pos
    ours.last_x, ours.last_y, ours.in_wall = theirs.last_x, theirs.last_y, theirs.strike
    ours.dx, ours.dy = DIRECTIONS[theirs.ball_dir]
    ours.bricks = board(theirs.brick_map)


def test_plays_as_the_original():
    total, games = agree_in_play(Breakout, "breakout", chase, 4000)
    assert total > 100
    assert games > 5


def test_goes_on_as_the_original_from_any_state():
    agree_from_states(Breakout, "breakout", put, 800)


def test_the_first_brick_falls_when_the_ball_comes_back():
    game = Breakout()
    game.random.seed(5)  # whose first draw lets the ball come from the right
    game.begin()
    assert (game.ball_x, game.ball_y, game.dx, game.dy) == (9, 3, -1, 1)
    game.paddle = 4
    rewards = [game._play(0) for _ in range(12)]
    # Five steps down to (4, 8); off the paddle to (3, 8); up to (0, 5); off the side wall to
    # (0, 4); then the brick at (1, 3).
    assert rewards == [*[0] * 10, 1, 0]
    assert WALL ^ game.bricks == BITS[31]
