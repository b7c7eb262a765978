import pytest

pytest.importorskip("minatar")

from minatar_reference import WAYS, agree_from_states, agree_in_play, coin, integer

from coordconv_rl.envs.minatar.asterix import Asterix


def dodge(theirs, rng):
    """Take a step that ends beside no enemy, if there is one."""
    for action in rng.permutation(5):
        x = theirs.player_x + (action == 3) - (action == 1)
        thing = theirs.entities[min(8, max(1, theirs.player_y + (action == 4) - (action == 2))) - 1]
        if thing is None or thing[3] or abs(thing[0] - x) > 1:
            return action
    return 0


def put(theirs, ours, rng):
    share = rng.choice([0.2, 0.7, 1.0])
    theirs.entities = [
        [integer(rng, 0, 10), row, coin(rng), coin(rng)] if coin(rng, share) else None
        for row in range(1, 9)
    ]
    theirs.player_x, theirs.player_y = integer(rng, 0, 10), integer(rng, 1, 9)
    theirs.spawn_speed, theirs.move_speed = integer(rng, 1, 11), integer(rng, 1, 6)
    theirs.spawn_timer = integer(rng, 0, theirs.spawn_speed + 1)
    theirs.move_timer = integer(rng, 0, theirs.move_speed + 1)
    theirs.ramp_timer, theirs.ramp_index = integer(rng, -1, 3), integer(rng, 0, 9)
    ours.lanes = [
        None if thing is None else [thing[0], WAYS[thing[2]], int(thing[3])]
        for thing in theirs.entities
    ]
    ours.x, ours.y = theirs.player_x, theirs.player_y
    ours.every = [theirs.spawn_speed, theirs.move_speed]
    ours.spawn_in, ours.move_in = theirs.spawn_timer, theirs.move_timer
    ours.ramp_in, ours.ramps = theirs.ramp_timer, theirs.ramp_index


def test_plays_as_the_original():
    total, games = agree_in_play(Asterix, "asterix", dodge, 5000)
    assert total > 20
    assert games > 3


def test_goes_on_as_the_original_from_any_state():
    agree_from_states(Asterix, "asterix", put, 800)


def test_it_becomes_harder_every_102_steps():
    game = Asterix()
    game.x = 0
    game.lanes = [[9, -1, 1]] * 8  # nothing can come in, and gold does no harm
    every = []
    for step in range(410):
        game.move_in = 9
        game._play(0)
        if step % 102 == 101:
            every.append(list(game.every))
    assert every == [[9, 5], [8, 4], [7, 4], [6, 3]]
