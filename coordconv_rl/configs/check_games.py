"""Whether what is asked for fits its games: settings with an effect, names that mean one game."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from coordconv_rl.configs.schema import ExperimentConfig, RunConfig, SharedSettings
from coordconv_rl.configs.types import game_folder
from coordconv_rl.envs import SCREEN_SIZE, Family, reference_scores
from coordconv_rl.errors import InputError


def check_offers(config: RunConfig | ExperimentConfig, families: Collection[Family]) -> None:
    """Raise `InputError` if a setting has no effect on any of the games, which nobody would notice.

    Args:
        config: What is asked for.
        families: The families of its games.
    """
    names = " and ".join(sorted(family.name for family in families))
    if config.protocol != "v4" and not any(family.has_protocols for family in families):
        raise InputError(
            f"protocol is {config.protocol}, which is one of Atari, and no game here is Atari's "
            f"({names}): leave it out"
        )
    if config.screen_size != SCREEN_SIZE and not any(family.has_protocols for family in families):
        raise InputError(
            f"screen_size is {config.screen_size}, which is of Atari's images, and no game here is "
            f"Atari's ({names}): leave it out, or give a Gymnasium game's own size"
        )
    if config.workers > 1 and not any(family.has_workers for family in families):
        raise InputError(
            f"workers is {config.workers}, but the games ({names}) play in the training process "
            "alone: leave it out"
        )
    if not config.evaluation.episodes and (name := _judged_otherwise(config)):
        raise InputError(
            f"evaluation.episodes is 0, so that {name}'s evaluation_kwargs have no effect: have "
            "games played, or leave them out"
        )


def unused_settings(family: Family) -> dict[str, Any]:
    """Return the settings that have no effect on a family's games, with their defaults.

    An experiment may say them for its other games; a run that said them would be refused alone.
    """
    names = set() if family.has_protocols else {"protocol", "full_action_space", "screen_size"}
    names |= set() if family.has_workers else {"workers"}
    return {one.name: one.default for one in fields(SharedSettings) if one.name in names}


def _judged_otherwise(config: RunConfig | ExperimentConfig) -> str | None:
    """Return the first game that agents are to be judged in otherwise than they are trained."""
    if isinstance(config, RunConfig):
        made = {config.game: config.environment}
    else:
        made = dict(config.environments)
    return next((name for name, game in made.items() if game and game.evaluation_kwargs), None)


def check_new_run(config: RunConfig) -> None:
    """Raise `InputError` if a run that is to be made says something that its game does not know."""
    check_offers(config, [config.family])
    if config.environment is not None:
        check_own_name(config.game)


def check_own_name(name: str) -> None:
    """Raise `InputError` if a game that is not Atari's has the name of one that is.

    Everything that knows games by name would take its scores for those of Atari's.
    """
    if name in reference_scores():
        raise InputError(
            f"{name} is the name of an Atari game, whose reference scores are not this game's: "
            f"give it another, such as my-{name}"
        )


def check_folders(games: tuple[str, ...]) -> None:
    """Raise `InputError` if two games would share a folder, on disks without upper case, too."""
    found: dict[str, str] = {}
    for game in games:
        other = found.setdefault(game_folder(game).casefold(), game)
        if other != game:
            raise InputError(
                f"{other} and {game} would share the folder {game_folder(game)}: give one of them "
                "another name"
            )
