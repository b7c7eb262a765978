import json

import numpy as np
import pytest

from coordconv_rl.envs.minatar.vec_env import KINDS
from coordconv_rl.errors import InputError


def test_the_previous_action_is_repeated_one_time_in_ten():
    game = KINDS["asterix"]()
    game.reseed(0)
    draws = np.random.RandomState(0).random_sample(2)
    assert draws[0] > 0.1
    assert draws[1] > 0.1
    game.step(3)
    assert (game.x, game.last_action) == (6, 3)
    game.uniform = lambda: 0.0999
    game.step(1)
    assert (game.x, game.last_action) == (7, 3)
    game.uniform = lambda: 0.1
    game.step(1)
    assert (game.x, game.last_action) == (6, 1)


@pytest.mark.parametrize("name", KINDS)
def test_a_saved_game_goes_on_the_same(name):
    game, other = KINDS[name](), KINDS[name]()
    game.reseed(3)
    game.begin()
    rng = np.random.default_rng(0)

    def play(one, actions):
        seen = []
        for action in actions:
            seen.append((one.step(action), one.picture(), one.terminal))
            if one.terminal:
                one.begin()
        return seen

    play(game, rng.integers(6, size=157).tolist())
    state = json.loads(json.dumps(game.save()))
    actions = rng.integers(6, size=400).tolist()
    expected = play(game, actions)
    other.load(state)
    assert play(other, actions) == expected


def test_saving_copies():
    game = KINDS["freeway"]()
    saved = game.save()
    before = json.dumps(saved)
    for _ in range(20):
        game.step(2)
    assert json.dumps(saved) == before


@pytest.mark.parametrize("change", [
    {"random": [[1, 2], 3]}, {"random": None}, {"x": "5"}, {"lanes": 3}, {"seconds": None},
])  # fmt: skip
def test_a_damaged_state_is_refused_and_nothing_changes(change):
    game = KINDS["asterix"]()
    before = game.save()
    with pytest.raises(InputError, match="damaged"):
        game.load({**before, **change})
    with pytest.raises(InputError, match="damaged"):
        game.load({})
    after = game.save()
    assert {**after, "seconds": 0} == {**before, "seconds": 0}
