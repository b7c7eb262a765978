"""A loaded Atari game that begins anew, by any seed, without being loaded again.

Loading takes ALE as long as some 250 environment steps (most of it goes into a table of averaged
colours, which nothing here looks at), and Gymnasium's environment loads its game again for every
seed. That seed only decides ALE's own sticky actions, which are off here: in each of ALE's games
the state after loading is the same for all seeds, and putting it back is as good as loading
(`tests/envs/test_loaded_game.py` holds both).
"""

from __future__ import annotations

import ale_py
from ale_py.env import AtariEnv

from coordconv_rl.envs.settings import FRAME_CAP

_UNSEEDED = 1  # of ALE where nobody seeds: saved states then hold nothing of chance; 0 is the time
# Games that were given back, by name and whether all actions are offered; a cache, as of a palette.
_spare: dict[tuple[object, object], list[LoadedGame]] = {}


class LoadedGame(AtariEnv):
    """Gymnasium's Atari environment, one emulator frame a step; a seed loads nothing anew."""

    _loaded: ale_py.ALEState | None = None

    def seed_game(self, seed: int | None = None) -> tuple[int, int]:
        """Seed the random draws as Gymnasium does; None draws a seed."""
        seeds = super().seed_game(seed)
        if seed is None:
            self.ale.setInt("random_seed", _UNSEEDED)
        return seeds

    def load_game(self) -> None:
        """Load the game, or put back the state that loading left."""
        if self._loaded is None:
            super().load_game()
            self._loaded = self.ale.cloneState(include_rng=True)
        else:
            self.ale.restoreState(self._loaded)


def take_game(rom: str, *, full_action_space: bool) -> LoadedGame:
    """Return a game as it is after loading: one that was given back, or else a new one.

    Args:
        rom: ALE's name of the game, as in "kung_fu_master".
        full_action_space: Whether all 18 actions are offered.
    """
    spare = _spare.get((rom, full_action_space))
    if spare:
        game = spare.pop()
        game.seed_game()
        game.load_game()
        return game
    return LoadedGame(
        game=rom,
        frameskip=1,
        repeat_action_probability=0.0,
        full_action_space=full_action_space,
        max_num_frames_per_episode=FRAME_CAP,
        render_mode="rgb_array",
    )


def give_back_game(game: LoadedGame) -> None:
    """Keep a game for `take_game`; whoever gave it back uses it no more."""
    settings = game._ezpickle_kwargs
    _spare.setdefault((settings["game"], settings["full_action_space"]), []).append(game)
