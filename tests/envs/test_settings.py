"""What a game's settings allow, and what follows from them."""

from __future__ import annotations

import pytest

from coordconv_rl.envs.settings import GameSettings
from coordconv_rl.errors import InputError


@pytest.mark.parametrize(
    ("protocol", "training", "stickiness", "life_loss_ends"),
    [("v4", True, 0.0, True), ("v4", False, 0.0, False), ("v5", True, 0.25, False)],
)
def test_protocols(protocol, training, stickiness, life_loss_ends):
    settings = GameSettings("Pong", protocol, training)
    assert (settings.stickiness, settings.life_loss_ends) == (stickiness, life_loss_ends)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"game": "Pung"}, "did you mean Pong"),
        ({"protocol": "v6"}, "unknown protocol 'v6': did you mean v5 or v4"),
        ({"full_action_space": True}, "use protocol='v5'"),
        (
            {"screen_size": 0},
            "screen_size is 0: it is the side of an image in pixels, by default 84",
        ),
    ],
)
def test_what_makes_no_sense(arguments, message):
    with pytest.raises(InputError, match=message):
        GameSettings(**{"game": "Pong", **arguments})
