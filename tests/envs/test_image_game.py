import subprocess
import sys

import numpy as np
import pytest

from coordconv_rl.envs.image_game import ImageGame
from coordconv_rl.errors import InputError


def test_names():
    assert ImageGame("CarRacing-v3").label == "CarRacing-v3"
    assert ImageGame("ALE/Pong-v5").label == "Pong-v5"
    assert ImageGame("my_games.mazes:large").label == "large"


@pytest.mark.parametrize(("values", "message"), [
    ({"make": "CarRacing"}, "package.module:function"), ({"make": "a/b:c"}, "make is"),
    ({"make": "../x:f"}, "make is"), ({"stack": 0}, "stack is 0"), ({"resize": 8.5}, "resize"),
    ({"max_steps": -1}, "max_steps"), ({"skip": True}, "skip"),
])  # fmt: skip
def test_values_that_make_no_sense(values, message):
    with pytest.raises(InputError, match=message):
        ImageGame(**{"make": "CarRacing-v3", **values})


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.array])
@pytest.mark.parametrize("name", ["max_steps", "skip", "resize", "stack"])
def test_numpy_integers_are_integers(name, kind):
    game = ImageGame("CarRacing-v3", **{name: kind(84)})
    assert game == ImageGame("CarRacing-v3", **{name: 84})
    assert type(getattr(game, name)) is int
    with pytest.raises(InputError, match=f"{name} is .*0"):
        ImageGame("CarRacing-v3", **{name: kind(0)})


def test_agents_are_judged_with_kwargs_of_their_own_beside_the_others():
    game = ImageGame("my:maze", {"size": 9, "levels": 200}, evaluation_kwargs={"levels": 0}, skip=2)
    assert game.judged == ImageGame("my:maze", {"size": 9, "levels": 0}, skip=2)
    assert game.kwargs == {"size": 9, "levels": 200}
    assert ImageGame("my:maze", {"size": 9}).judged == ImageGame("my:maze", {"size": 9})


def test_an_id_that_does_not_exist_names_the_closest():
    with pytest.raises(InputError, match="CarRacing-v3"):
        ImageGame("CarRacin-v3").check()
    ImageGame("CarRacing-v3").check()
    ImageGame("no.such.module:function").check()  # nothing is imported


def test_needs_no_torch():
    command = "import sys, coordconv_rl.envs.image_game; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
