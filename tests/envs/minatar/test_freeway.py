import pytest

pytest.importorskip("minatar")

from minatar_reference import WAYS, agree_from_states, agree_in_play, coin, integer

from coordconv_rl.envs.minatar.freeway import STEPS, Freeway


def up(theirs, rng):
    return 2 if coin(rng, 0.9) else rng.choice([0, 4])


def put(theirs, ours, rng):
    theirs.cars = [
        [integer(rng, 0, 10), row, integer(rng, 0, 6), integer(rng, 1, 6) * WAYS[coin(rng)]]
        for row in range(1, 9)
    ]
    theirs.pos, theirs.move_timer = integer(rng, 1, 10), integer(rng, 0, 4)
    theirs.terminate_timer = integer(rng, 0, 3 if coin(rng) else STEPS)
    ours.cars = [car[0] for car in theirs.cars]
    ours.speeds = [car[3] for car in theirs.cars]
    ours.due = [[] for _ in range(6)]
    for lane, car in enumerate(theirs.cars):
        ours.due[car[2]].append(lane)
    ours.chicken, ours.rest = theirs.pos, theirs.move_timer
    ours.time_left = theirs.terminate_timer


def test_plays_as_the_original():
    total, games = agree_in_play(Freeway, "freeway", up, 6000)
    assert total > 40
    assert games == 2


def test_goes_on_as_the_original_from_any_state():
    agree_from_states(Freeway, "freeway", put, 800)


def test_a_car_waits_as_long_as_its_speed_says():
    game = Freeway()
    game.cars, game.speeds = [0] * 8, [2, -1, 3, 3, 3, 3, 3, 5]
    game.due = [[], [1], [0], [2, 3, 4, 5, 6], [], [7]]
    columns = []
    for _ in range(7):
        game._play(0)
        columns.append((game.cars[0], game.cars[1], game.cars[7]))
    assert [c[0] for c in columns] == [0, 0, 1, 1, 1, 2, 2]
    assert [c[1] for c in columns] == [0, 9, 9, 8, 8, 7, 7]
    assert [c[2] for c in columns] == [0, 0, 0, 0, 0, 1, 1]
