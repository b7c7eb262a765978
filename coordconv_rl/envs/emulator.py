"""One game under SB3's Atari protocol, without the tower of wrappers.

The order of frames, random draws and resets is that of SB3's `make_atari_env`: a `Monitor` around
the emulator, then from `atari_wrappers.py` sticky actions, no-ops, frame skip, life loss, fire,
image and reward clipping. `VecFrameStack(4)` and `VecTransposeImage` come last.
"""

from __future__ import annotations

import time
from typing import Any

import ale_py
import numpy as np
from numpy.typing import NDArray

from coordconv_rl.envs.games import ROM_IDS
from coordconv_rl.envs.loaded_game import take_game
from coordconv_rl.envs.screen import Screen
from coordconv_rl.envs.settings import GameSettings
from coordconv_rl.errors import InputError

NOOP, FIRE = 0, 1
FRAME_SKIP = 4
MAX_NOOPS = 30


class Emulator:
    """One game and what its learner sees of it.

    Attributes that it lacks itself, such as `get_action_meanings`, are those of `env`.

    Args:
        settings: What to play.
        stack: (4, size, size) uint8, where the last four images go, oldest first.
        counters: (3,) int64, where the lives and frame counts of the last step go.

    Attributes:
        env: Gymnasium's Atari environment, one emulator frame a step.
        ale: Its emulator.
        done: Whether the last step ended the learner's episode.
        truncated: Whether only the frame cap ended it.
        episode: Monitor's record of the game that the last step ended, else None: raw return "r",
            length "l" in frames, seconds "t" since the start.
        episodes: The records of all games that ended in this process.
        total_frames: The frames of all games in this process.
    """

    def __init__(
        self, settings: GameSettings, stack: NDArray[np.uint8], counters: NDArray[np.int64]
    ) -> None:
        """Load the game; nothing is played before the first `reset`."""
        self.settings = settings
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        rom = ROM_IDS[settings.game]
        self.env = take_game(rom, full_action_space=settings.full_action_space)
        self.ale = self.env.ale
        meanings = self.env.get_action_meanings()
        if meanings[NOOP] != "NOOP" or ("FIRE" in meanings and meanings[FIRE] != "FIRE"):
            raise InputError(
                f"{settings.game} cannot be played under protocol {settings.protocol}: "
                f"its actions {meanings} do not begin with NOOP; "
                "use protocol='v5' with full_action_space=True"
            )
        self.fires = "FIRE" in meanings
        self.actions = self.env._action_set
        height, width = self.ale.getScreenDims()
        self.screen = Screen(height, width, settings.screen_size)
        self.stack, self.counters = stack, counters
        self.started = time.time()
        self.sticky_action = NOOP
        self.lives = 0
        self.game_ended = True
        self.game_return = 0.0
        self.game_frames = 0
        self.done = self.truncated = False
        self.episode: dict[str, float] | None = None
        self.episodes: list[dict[str, float]] = []
        self.total_frames = 0

    def __getattr__(self, name: str) -> Any:
        if name == "env":
            raise AttributeError(name)
        return getattr(self.env, name)

    def step(self, action: int) -> float:
        """Play the action for four frames and push the image; return the reward.

        After the end of an episode (`done`) the stack holds its last observation until `reset`.
        """
        self.episode = None
        reward, terminated, truncated = self._play(action)
        self.done = terminated or truncated
        self.truncated = truncated and not terminated
        self.counters[:] = (
            self.ale.lives(),
            self.ale.getEpisodeFrameNumber(),
            self.ale.getFrameNumber(),
        )
        self.stack[:-1] = self.stack[1:]
        self.screen.draw(self.screen.frames, self.stack[-1])
        return float((reward > 0) - (reward < 0)) if self.settings.training else reward

    def reset(self, seed: int | None = None) -> None:
        """Begin the learner's next episode: a new game, or the game's next life.

        The stack then holds one image, below zeros.

        Args:
            seed: Seed of the emulator and of the random draws; None goes on with the present ones.
        """
        self.stack[:] = 0
        image = self.stack[-1]
        drawn = self._next_life(seed)
        if not self.fires:
            self.screen.draw(self.screen.frames if drawn else self._screen_twice(), image)
            return
        if self._ended(self._play(1)):
            self._next_life(seed)
        ended = self._ended(self._play(2))
        self.screen.draw(self.screen.frames, image)
        if ended:
            self._next_life(seed)

    def _screen_twice(self) -> NDArray[np.uint8]:
        """Return the present screen as a pair, (2, height, width) palette indices."""
        pair = self.screen.single
        self.ale.getScreen(pair[0])
        pair[1] = pair[0]
        return pair

    @staticmethod
    def _ended(outcome: tuple[float, bool, bool]) -> bool:
        return outcome[1] or outcome[2]

    def _play(self, action: int) -> tuple[float, bool, bool]:
        """Skip frames; where life loss ends episodes, call it a termination."""
        reward, terminated, truncated = self._skip(action)
        if self.settings.life_loss_ends:
            self.game_ended = terminated or truncated
            lives = self.ale.lives()
            # Some games go on at 0 lives, Frogger for a whole life: only 1 or more counts.
            if 0 < lives < self.lives:
                terminated = True
            self.lives = lives
        return reward, terminated, truncated

    def _next_life(self, seed: int | None) -> bool:
        """Start a new game, or go on with one no-op after a lost life (and return True)."""
        goes_on = False
        if self.settings.life_loss_ends and not self.game_ended:
            goes_on = not self._ended(self._skip(NOOP))
        if not goes_on:
            self._new_game(seed)
        self.lives = self.ale.lives()
        return goes_on

    def _new_game(self, seed: int | None) -> None:
        """Start a new game with 1 to 30 no-ops."""
        self._reset_emulator(seed)
        for _ in range(self.env.np_random.integers(1, MAX_NOOPS + 1)):
            self._frame(NOOP)
            if self.ale.game_over():
                self._reset_emulator(seed)

    def _reset_emulator(self, seed: int | None) -> None:
        self.sticky_action = NOOP
        self.game_return = 0.0
        self.game_frames = 0
        if seed is None:
            self.ale.reset_game()
        else:
            self.env.reset(seed=seed)
            self._check_palette()

    def _check_palette(self) -> None:
        if not np.array_equal(self.screen.colours(self.ale.getScreen()), self.ale.getScreenRGB()):
            raise RuntimeError(
                f"the emulator shows {self.settings.game} in colours other than palettes.csv has: "
                "this release of ale-py is not supported"
            )

    def _skip(self, action: int) -> tuple[float, bool, bool]:
        """Play the action for four frames, keeping the last two; stop where the game ends."""
        total = 0.0
        for index in range(FRAME_SKIP):
            total += self._frame(action)
            if index >= FRAME_SKIP - 2:
                self.ale.getScreen(self.screen.frames[index - FRAME_SKIP + 2])
            if self.ale.game_over():
                self._record_episode()
                return total, self.ale.game_over(with_truncation=False), self.ale.game_truncated()
        return total, False, False

    def _frame(self, action: int) -> float:
        """Play one frame, or repeat the previous frame's action."""
        stickiness = self.settings.stickiness
        if stickiness:
            if self.env.np_random.random() >= stickiness:
                self.sticky_action = action
            action = self.sticky_action
        reward = self.ale.act(self.actions[action])
        self.game_return += reward
        self.game_frames += 1
        self.total_frames += 1
        return float(reward)

    def _record_episode(self) -> None:
        seconds = time.time() - self.started
        self.episode = {
            "r": round(self.game_return, 6),
            "l": self.game_frames,
            "t": round(seconds, 6),
        }
        self.episodes.append(self.episode)
