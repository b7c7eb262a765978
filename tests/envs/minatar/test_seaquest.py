import pytest

pytest.importorskip("minatar")

from minatar_reference import WAYS, agree_from_states, agree_in_play, coin, integer

from coordconv_rl.envs.minatar.seaquest import Seaquest


def dive(divers):
    """Shoot, look for divers, and come up with that many aboard."""

    def policy(theirs, rng):
        action = integer(rng, 0, 6)
        if theirs.sub_y <= 1 and action == 2 and theirs.diver_count < divers:
            return 5
        if coin(rng, 0.3):
            return 5
        if theirs.diver_count >= divers:
            return 2
        if theirs.divers and coin(rng, 0.6):
            x, y, *_ = theirs.divers[0]
            if x != theirs.sub_x:
                return 1 if x < theirs.sub_x else 3
            return 2 if y < theirs.sub_y and theirs.sub_y > 1 else 4
        return action

    return policy


def put(theirs, ours, rng):
    theirs.sub_or = coin(rng)
    theirs.sub_x = integer(rng, 1, 10) if theirs.sub_or else integer(rng, 0, 9)
    theirs.sub_y = integer(rng, 0, 9)
    theirs.surface = theirs.sub_y == 0 and coin(rng)
    theirs.oxygen = integer(rng, 0, 201 if coin(rng) else 3)
    theirs.diver_count = integer(rng, -1, 7)
    theirs.e_spawn_speed, theirs.move_speed = integer(rng, 1, 21), integer(rng, 2, 6)
    theirs.e_spawn_timer, theirs.d_spawn_timer = integer(rng, 0, 3), integer(rng, 0, 3)
    theirs.ramp_index, theirs.shot_timer = integer(rng, 0, 9), integer(rng, 0, 3)
    ways = [coin(rng) for _ in range(10)]  # enemies of a row head the same way

    def things(*more, enemies=False):
        found = []
        for _ in range(integer(rng, 0, 5)):
            y = theirs.sub_y if theirs.sub_y and coin(rng) else integer(rng, 1, 9)
            way = ways[y] if enemies else coin(rng)
            found.append([integer(rng, 0, 10), y, way, *(integer(rng, 0, high) for high in more)])
        return found

    theirs.f_bullets, theirs.e_bullets, theirs.divers = things(), things(), things(3)
    theirs.e_fish = things(theirs.move_speed + 1, enemies=True)
    theirs.e_subs = things(theirs.move_speed + 1, 11, enemies=True)

    def converted(found, *rest):
        return [[x, y, WAYS[way], *more, *rest] for x, y, way, *more in found]

    ours.x, ours.y, ours.way = theirs.sub_x, theirs.sub_y, WAYS[theirs.sub_or]
    ours.oxygen, ours.divers_aboard = theirs.oxygen, theirs.diver_count
    ours.surfaced, ours.reload, ours.ramps = theirs.surface, theirs.shot_timer, theirs.ramp_index
    ours.every = [theirs.e_spawn_speed, theirs.move_speed]
    ours.enemy_in, ours.diver_in = theirs.e_spawn_timer, theirs.d_spawn_timer
    ours.shots, ours.bullets = converted(theirs.f_bullets), converted(theirs.e_bullets)
    ours.fish, ours.submarines = converted(theirs.e_fish, 10), converted(theirs.e_subs)
    ours.divers = converted(theirs.divers, 0)


@pytest.mark.parametrize("divers", [1, 6])
def test_plays_as_the_original(divers):
    total, games = agree_in_play(Seaquest, "seaquest", dive(divers), 5000, seed=divers)
    assert total > 20
    assert games > 5


def test_goes_on_as_the_original_from_any_state():
    agree_from_states(Seaquest, "seaquest", put, 1500)


def test_six_divers_are_worth_the_oxygen():
    game = Seaquest()
    game.y, game.surfaced, game.divers_aboard, game.oxygen = 1, False, 6, 130
    assert game._play(2) == 6  # 130 of 200 in tenths
    assert (game.oxygen, game.divers_aboard, game.every) == (200, -1, [19, 5])
    assert not game.terminal


def test_coming_up_without_a_diver_ends_the_game():
    game = Seaquest()
    game.y, game.surfaced = 1, False
    assert game._play(2) == 0
    assert game.terminal
