"""Families of games: what training, judging and reporting need to know of each, in one place.

Three families: Atari ("Breakout"), MinAtar ("minatar/breakout"), and any Gymnasium environment with
images ("CarRacing-v3", "package.module:function", or a name that an experiment's `environments`
explain). Nothing here imports torch or SB3 before environments are built.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from coordconv_rl.envs.games import (
    MINATAR_GAMES,
    MINATAR_PREFIX,
    SCREEN_SIZE,
    SUITES,
    atari_game,
    check_game,
    human_normalised,
)
from coordconv_rl.envs.image_game import LONGEST_GAME, ImageGame, is_made_by
from coordconv_rl.errors import InputError, unknown

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv

SIDE_BY_SIDE, FEW_ATARI = 128, 8  # games at a time; of Atari's, where there are no more than 32


@dataclass(frozen=True, kw_only=True)
class EnvSettings:
    """Which environments to build; judging is by whole games, raw rewards, `evaluation_kwargs`.

    Attributes:
        game: The game's name.
        environment: How it is made, where the name alone does not say it.
        n_envs: Environments stepped together.
        seed: Environment i plays with seed + i.
        training: Whether Atari clips rewards and v4 ends episodes with a life.
        workers: Processes that play, this one among them; 0 or 1: this one alone.
        protocol: Atari's protocol.
        full_action_space: Whether Atari offers all 18 actions.
        screen_size: Side of Atari's images in pixels.
    """

    game: str
    environment: ImageGame | None = None
    n_envs: int
    seed: int
    training: bool
    workers: int = 0
    protocol: str = "v4"
    full_action_space: bool = False
    screen_size: int = SCREEN_SIZE


@runtime_checkable
class SavesState(Protocol):
    """A vector environment whose state can be saved exactly: a restored one goes on the same."""

    def snapshot(self) -> dict[str, Any]:
        """Return {"json": plain data, "arrays": uint8 arrays by name}."""

    def restore(self, state: dict[str, Any]) -> Any:
        """Go on from a snapshot, and return the observations at that point."""


class Family(ABC):
    """What differs between families of games.

    Attributes:
        name: The family's name; presets of its own are in `configs/presets/<name>/`.
        backbone: The convolutions that its images are made for.
        is_exact: Whether a stopped run goes on exactly; if not, with new games.
        frames: Frames of the game in one environment step.
        has_protocols: Whether its games are played by one of several protocols.
        has_workers: Whether its games can be played by other processes than the training one.
    """

    name: ClassVar[str]
    backbone: ClassVar[Literal["nature", "minatar"]] = "nature"
    is_exact: ClassVar[bool] = True
    frames: ClassVar[int] = 1
    has_protocols: ClassVar[bool] = False
    has_workers: ClassVar[bool] = True

    @abstractmethod
    def check(self, game: str, environment: ImageGame | None = None) -> None:
        """Raise `InputError` if there is no such game."""

    @abstractmethod
    def build(self, settings: EnvSettings) -> VecEnv:
        """Build the environments; a function that `environment` names is imported and called.

        Raises:
            InputError: The settings make no sense for this family.
        """

    def normalised(self, game: str, score: float) -> float | None:
        """Return a raw score's place between random (0) and human play (1), None if unknown."""
        return None

    def protocol(self, protocol: str) -> str:
        """Say in a word or two how its games are played."""
        return self.name

    def side_by_side(self, games: int) -> int:
        """Return how many of so many games are best played at a time where an agent is judged."""
        return min(games, SIDE_BY_SIDE)


class Atari(Family):
    """Atari games on ale-py: `AtariVecEnv`."""

    name = "atari"
    frames = 4
    has_protocols = True

    def check(self, game: str, environment: ImageGame | None = None) -> None:
        """Raise `InputError` if there is no such game."""
        check_game(game)

    def build(self, settings: EnvSettings) -> VecEnv:
        """Build `AtariVecEnv`."""
        from coordconv_rl.envs.atari import AtariVecEnv

        return AtariVecEnv(
            settings.game,
            settings.n_envs,
            seed=settings.seed,
            protocol=settings.protocol,
            training=settings.training,
            workers=settings.workers,
            full_action_space=settings.full_action_space,
            screen_size=settings.screen_size,
        )

    def normalised(self, game: str, score: float) -> float | None:
        """Return the human-normalised score."""
        return human_normalised(game, score)

    def protocol(self, protocol: str) -> str:
        """Name the Atari protocol."""
        return protocol

    def side_by_side(self, games: int) -> int:
        """Return few: loading a game takes as long as some 250 environment steps."""
        return min(games, max(FEW_ATARI, games // 4))


class MinAtar(Family):
    """MinAtar's five games: `MinAtarVecEnv`, in one process; cut after 27,000 steps."""

    name = "minatar"
    backbone = "minatar"
    has_workers = False

    def check(self, game: str, environment: ImageGame | None = None) -> None:
        """Raise `InputError` if there is no such game."""
        if game not in MINATAR_GAMES:
            raise unknown("game", game, MINATAR_GAMES)

    def build(self, settings: EnvSettings) -> VecEnv:
        """Build `MinAtarVecEnv`."""
        from coordconv_rl.envs.minatar import MinAtarVecEnv

        return MinAtarVecEnv(
            settings.game.removeprefix(MINATAR_PREFIX),
            settings.n_envs,
            seed=settings.seed,
            max_steps=LONGEST_GAME,
        )


class Gymnasium(Family):
    """Any Gymnasium environment with images; its state cannot be saved."""

    name = "gymnasium"
    is_exact = False

    def check(self, game: str, environment: ImageGame | None = None) -> None:
        """Raise `InputError` if Gymnasium does not know the id; functions are not looked for."""
        (environment or ImageGame(game)).check()

    def build(self, settings: EnvSettings) -> VecEnv:
        """Build SB3's `DummyVecEnv`, or with workers `SubprocVecEnv`."""
        from coordconv_rl.envs.images import make_image_env

        game = settings.environment or ImageGame(settings.game)
        return make_image_env(
            game if settings.training else game.judged, settings.n_envs, settings.seed,
            processes=settings.workers > 1,
            trust=True,  # whoever reads a stranger's configuration asks before: `check_trust`
        )  # fmt: skip


ATARI, MINATAR, GYMNASIUM = Atari(), MinAtar(), Gymnasium()


def family_of(game: str, environment: ImageGame | None = None) -> Family:
    """Return the family of a game, from how its name is written; there need be no such game.

    `environment` is how it is made, where an experiment says so.
    """
    if environment is not None or (is_made_by(game) and not atari_game(game)):
        return GYMNASIUM  # an Atari game's id alone is refused: its `check` says the right name
    return MINATAR if game.startswith(MINATAR_PREFIX) else ATARI


def own_code(game: str, environment: ImageGame | None = None) -> str | None:
    """Return the function that making the game imports, if it is a user's own."""
    if family_of(game, environment) is not GYMNASIUM:
        return None
    made = environment or ImageGame(game)
    return made.make if made.own_code else None


def resolve_games(
    games: Sequence[str] = (),
    suite: str | None = None,
    environments: Mapping[str, ImageGame] | None = None,
) -> tuple[str, ...]:
    """Return the games that an experiment names, one by one or as a suite.

    Args:
        games: Names of games.
        suite: The name of a suite.
        environments: How games are made whose names do not say it.

    Raises:
        InputError: Both or neither is given, a name is unknown, or a game is named twice.
    """
    if suite is not None:
        if games:
            raise InputError(f"games and suite {suite!r} are both given: give one of them")
        if suite not in SUITES:
            raise unknown("suite", suite, SUITES)
        return SUITES[suite]
    if not games:
        raise InputError(f"no games: name some, or a suite of {', '.join(SUITES)}")
    repeated = sorted({game for game in games if list(games).count(game) > 1})
    if repeated:
        raise InputError(f"game {repeated[0]!r} is named more than once: name each game once")
    for game in games:
        environment = (environments or {}).get(game)
        family_of(game, environment).check(game, environment)
    return tuple(games)
