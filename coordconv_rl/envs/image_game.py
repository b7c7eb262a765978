"""What an experiment says of a game that any Gymnasium environment with images makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from coordconv_rl.errors import InputError, as_integer, unknown

_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_ID = re.compile(r"([\w-]+/)?[\w.-]+-v\d+")  # gymnasium.envs.registration.ENV_ID_RE, versioned
LONGEST_GAME = 27_000  # steps: Atari's 108,000 frames; no evaluation lasts for ever


def is_made_by(text: str) -> bool:
    """Return whether a text is a Gymnasium id with its version, or package.module:function."""
    return bool(_FUNCTION.fullmatch(text) or _ID.fullmatch(text))


@dataclass(frozen=True)
class ImageGame:
    """A game that any Gymnasium environment with images makes.

    The wrappers are applied in the order of the attributes below, after SB3's `Monitor`, which
    thus records raw scores and the environment's own steps.

    Attributes:
        make: A Gymnasium id, as "CarRacing-v3", or "package.module:function" for a function that
            returns an environment; its module is only imported when a caller trusts it.
        kwargs: What the id or the function takes: plain data, as in YAML.
        evaluation_kwargs: What it takes instead, beside the other `kwargs`, where an agent is
            judged (evaluated, inspected, watched): levels or starts that training has not.
        max_steps: The game's own steps (`skip` in one environment step) after which it is cut (a
            truncation), if nothing cuts it before.
        skip: Steps for which each action is played (`MaxAndSkipObservation`: the maximum of the
            last two images).
        resize: Side of the square images in pixels (`ResizeObservation`); None for as they are.
        grey: Whether images become grey (`GrayscaleObservation`).
        stack: Images in one observation, the newest last (`FrameStackObservation`).

    Raises:
        InputError: A value makes no sense.
    """

    make: str
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)
    max_steps: int = LONGEST_GAME
    skip: int = 1
    resize: int | None = None
    grey: bool = False
    stack: int = 1
    evaluation_kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not is_made_by(self.make):
            raise InputError(
                f"a game's make is {self.make!r}: write a Gymnasium id, such as CarRacing-v3, "
                "or package.module:function"
            )
        for name in ("max_steps", "skip", "resize", "stack"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or as_integer(f"{self.make}: {name}", value) < 1:
                raise InputError(f"{self.make}: {name} is {value!r}: it must be at least 1")
            object.__setattr__(self, name, as_integer(name, value))

    @property
    def label(self) -> str:
        """What errors call it."""
        return re.split("[/:]", self.make)[-1]

    @property
    def judged(self) -> ImageGame:
        """The game as agents are judged in it, which `evaluation_kwargs` may make another."""
        kwargs = {**self.kwargs, **self.evaluation_kwargs}
        return replace(self, kwargs=kwargs, evaluation_kwargs={})

    @property
    def own_code(self) -> bool:
        """Whether making it imports a module that `make` names."""
        return ":" in self.make

    def check(self) -> None:
        """Raise `InputError` unless Gymnasium knows the id; a function is not looked for."""
        import gymnasium as gym

        if self.own_code or self.make in gym.registry:
            return
        try:
            gym.spec(self.make)
        except gym.error.Error as error:
            raise InputError(
                f"{unknown('Gymnasium id', self.make, sorted(gym.registry))}; what registers only "
                "when it is imported needs package.module:function"
            ) from error
