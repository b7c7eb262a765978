"""Names of games, suites of games, and reference scores of Atari's.

Imports neither torch, SB3, Gymnasium nor ale-py, so that `--help` and reports start fast.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from coordconv_rl.errors import InputError, unknown

# Gymnasium's ids: "ALE/Pong-v5", "PongNoFrameskip-v4", "PongDeterministic-v0", "Pong-ram-v4".
_ENVIRONMENT_ID = re.compile(r"^ALE/|(-?ram)?(Deterministic|NoFrameskip)?-v\d+$", re.IGNORECASE)
_NO_SINGLE_PLAYER = {"combat", "joust", "maze_craze", "warlords"}  # ale_py/registration.py


def _rom_ids() -> Mapping[str, str]:
    """Map each game's Gymnasium name to its ROM id, as `ale_py.registration` derives them."""
    spec = importlib.util.find_spec("ale_py")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("ale-py is not installed: pip install ale-py", name="ale_py")
    checksums = json.loads((Path(spec.origin).parent / "roms" / "md5.json").read_text())
    ids = sorted({file.split(".")[0] for file in checksums} - _NO_SINGLE_PLAYER)
    return MappingProxyType({rom.title().replace("_", ""): rom for rom in ids})


SCREEN_SIZE = 84
"""Side of Atari's images in pixels: that of Mnih et al. 2015 and of SB3's `WarpFrame`."""

ROM_IDS = _rom_ids()
"""Each game's Gymnasium name, as in "MsPacman", and its ROM id, as in "ms_pacman"."""

GAMES: tuple[str, ...] = tuple(ROM_IDS)
"""Gymnasium names of all games of the installed ale-py that one player can play."""

_ATARI_10 = """
    Asteroids BeamRider Breakout Enduro MsPacman Pong Qbert RoadRunner Seaquest SpaceInvaders
"""
_ATARI_26 = """
    Alien Amidar Assault Asterix BankHeist BattleZone Boxing Breakout ChopperCommand CrazyClimber
    DemonAttack Freeway Frostbite Gopher Hero Jamesbond Kangaroo Krull KungFuMaster MsPacman Pong
    PrivateEye Qbert RoadRunner Seaquest UpNDown
"""
_ATARI_57 = """
    Alien Amidar Assault Asterix Asteroids Atlantis BankHeist BattleZone BeamRider Berzerk Bowling
    Boxing Breakout Centipede ChopperCommand CrazyClimber Defender DemonAttack DoubleDunk Enduro
    FishingDerby Freeway Frostbite Gopher Gravitar Hero IceHockey Jamesbond Kangaroo Krull
    KungFuMaster MontezumaRevenge MsPacman NameThisGame Phoenix Pitfall Pong PrivateEye Qbert
    Riverraid RoadRunner Robotank Seaquest Skiing Solaris SpaceInvaders StarGunner Surround Tennis
    TimePilot Tutankham UpNDown Venture VideoPinball WizardOfWor YarsRevenge Zaxxon
"""

MINATAR_PREFIX = "minatar/"
MINATAR_GAMES: tuple[str, ...] = tuple(
    MINATAR_PREFIX + game
    for game in ("asterix", "breakout", "freeway", "seaquest", "space_invaders")
)
"""MinAtar's games: Young and Tian 2019, "MinAtar: An Atari-Inspired Testbed" (arXiv 1903.03176)."""

SUITES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Aitchison, Sweetser and Hutter 2022, "Atari-5: Distilling the Arcade Learning Environment
        # down to Five Games" (arXiv 2210.02019).
        "atari-5": ("BattleZone", "DoubleDunk", "NameThisGame", "Phoenix", "Qbert"),
        # The Atari games of RL Baselines3 Zoo's benchmark.md.
        "atari-10": tuple(_ATARI_10.split()),
        # Kaiser et al. 2020, "Model-Based Reinforcement Learning for Atari" (arXiv 1903.00374),
        # the games of the 100k benchmark.
        "atari-26": tuple(_ATARI_26.split()),
        # The 57 games of Wang et al. 2016 (arXiv 1511.06581) and most work since.
        "atari-57": tuple(_ATARI_57.split()),
        "minatar": MINATAR_GAMES,
    }
)
"""The games of each suite, by its name."""

TINY_RANGE_GAMES = frozenset({"VideoPinball", "DoubleDunk"})
"""Games where human and random scores lie so close together that a human-normalised score says
little: it moves by whole units on noise, so aggregates are also shown without them."""


@dataclass(frozen=True)
class Reference:
    """Scores of others: mean raw returns of whole games.

    Attributes:
        random: Uniformly random actions, no-op starts, no sticky actions, 108,000-frame cap
            (google-deepmind/dqn_zoo, `dqn_zoo/atari_data.py`).
        human: A human player, from the same table.
        rlzoo_a2c_10m: One A2C agent after 10 million environment steps on `NoFrameskip-v4`
            (DLR-RM/rl-baselines3-zoo, `benchmark.md`, which calls it no quantitative benchmark),
            None where that file has none.
        rlzoo_ppo_10m: PPO, likewise.
    """

    random: float
    human: float
    rlzoo_a2c_10m: float | None
    rlzoo_ppo_10m: float | None


@lru_cache(maxsize=1)
def reference_scores() -> Mapping[str, Reference]:
    """Return the reference scores of the games of `atari-57`, by Gymnasium name."""
    path = Path(__file__).with_name("reference_scores.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ("random", "human", "rlzoo_a2c_10m", "rlzoo_ppo_10m")
    table = {}
    for row in rows:
        random, human, a2c, ppo = (float(row[name]) if row[name] else None for name in columns)
        if random is None or human is None:
            raise ValueError(f"{path}: {row['game']} has no random or no human score")
        table[row["game"]] = Reference(random, human, a2c, ppo)
    return MappingProxyType(table)


def human_normalised(game: str, score: float) -> float | None:
    """Return (score - random) / (human - random): 0 plays like random, 1 like a human.

    Args:
        game: The game's name.
        score: Mean raw return of whole games.

    Returns:
        The normalised score, or None for a game without reference scores.
    """
    reference = reference_scores().get(game)
    if reference is None:
        return None
    return (score - reference.random) / (reference.human - reference.random)


def check_game(name: str) -> str:
    """Return the name if it is an Atari game's Gymnasium name.

    Raises:
        InputError: There is no such game; the message names the right one where the name is an
            environment's id or a ROM's, and the closest ones otherwise.
    """
    if name in ROM_IDS:
        return name
    if game := atari_game(name):
        raise InputError(
            f"unknown game {name!r}: did you mean {game}? "
            "Games go by the bare name, without version; the protocol is another option"
        )
    if name in MINATAR_GAMES:
        raise InputError(f"{name!r} is a game of MinAtar, not of Atari: make it with MinAtarVecEnv")
    raise unknown("game", name, (*GAMES, *MINATAR_GAMES))


def atari_game(name: str) -> str | None:
    """Return the Atari game that an environment's id or a ROM's means, None if it means none."""
    bare = _ENVIRONMENT_ID.sub("", str(name)).replace("_", "").lower()
    return next((game for game in GAMES if game.lower() == bare), None)
