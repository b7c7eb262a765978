"""Fresh games of an agent, some side by side: one pass of its network a step for all of them.

What becomes of a game depends on the agent, on the game's own seed and on its own random draws, not
on what else is played beside it or was played before it: see also `choosing`. (SB3's
`evaluate_policy` draws actions for all games from one generator and lets an environment go on from
game to game, so that each score depends on all others; its scores of more than one game cannot be
had again.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.agents.choosing import choose
from coordconv_rl.envs import AtariVecEnv
from coordconv_rl.sb3 import Judged

# Half a minute at 60 frames a second. A greedy agent that sees four equal images in a row does the
# same again until the screen changes by itself, which Atari games do within some seconds (after a
# lost life, between two rounds); a game that waits for FIRE waits for ever.
STILL_FRAMES = 1_800

_OF_ACTIONS = 1  # NumPy takes [500000, 0] for 500000, the seed that the first game itself has

Why = Literal["over", "still", "cut"]


@dataclass(frozen=True)
class Game:
    """One game to play.

    Attributes:
        policy: Who plays.
        number: Its number; the seed of its environment is the seed of all plus this.
        greedy: Play the most likely action instead of a sampled one.
    """

    policy: ActorCriticPolicy
    number: int
    greedy: bool = False


@dataclass(frozen=True)
class Played:
    """How a game ended.

    Attributes:
        score: Its raw score, as far as it came.
        frames: Its length in frames of the game.
        why: "over"; "still" if it stood still; "cut" at the longest length allowed.
    """

    score: float
    frames: int
    why: Why


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How games are played, and when one ends before its end.

    Attributes:
        step_frames: Frames of the game in one environment step; see `Family.frames`.
        side_by_side: Games at a time; see `Family.side_by_side`.
        still_frames: Frames without reward and without a change of what the agent sees, after
            which a greedy game ends.
        longest: Frames after which any game is cut; None for no such end.
    """

    step_frames: int
    side_by_side: int
    still_frames: int = STILL_FRAMES
    longest: int | None = None


def play_games(
    make_env: Callable[[int], VecEnv],
    games: Sequence[Game],
    *,
    seed: int,
    rules: Rules,
    on_end: Callable[[int, Played], None] = lambda place, played: None,
    on_step: Callable[[int], None] = lambda frames: None,
) -> list[Played]:
    """Play games, some side by side; the next one begins where one has ended.

    Args:
        make_env: Makes so many environments for judging.
        games: The games; nobody trains or changes their policies meanwhile.
        seed: Seed of environments and actions.
        rules: How many at a time, and when a game ends before its end.
        on_end: Called with a game's place in `games` and how it ended, as it ends.
        on_step: Called after every step with how many frames were played in all games so far; what
            it raises ends the games.

    Returns:
        How each game ended, in the order of `games`.
    """
    ends: dict[int, Played] = {}
    table = GameTable(make_env, games, seed, rules)
    try:
        while table.seats:
            for place, played in table.step(table.choose()):
                ends[place] = played
                on_end(place, played)
            on_step(table.frames)
    finally:
        table.close()
    return [ends[place] for place in range(len(games))]


@dataclass
class Seat:
    """A game that goes on: its place among all, who plays, its draws, how far it has come."""

    game: Game
    place: int
    who: int
    draws: np.random.Generator
    steps: int = 0
    score: float = 0.0
    still: int = 0  # steps

    def draw(self) -> float | None:
        """Return the number that its next action follows from, None for the most likely one."""
        return None if self.game.greedy else float(self.draws.random())


class GameTable:
    """Games that go on side by side, each in an environment of its own, and those that wait.

    Attributes:
        env: The environments, or None once all games are over.
        seen: What the agents see now, shape (environments, ...).
        seats: The games that go on, by environment.
        frames: Frames that were played in all games so far.
    """

    def __init__(
        self, make_env: Callable[[int], VecEnv], games: Sequence[Game], seed: int, rules: Rules
    ) -> None:
        self._make_env, self._games = make_env, games
        self._seed = seed
        self._rules = rules
        self._waiting = deque(range(len(games)))
        policies = {id(game.policy): game.policy for game in games}
        self._judged = Judged(list(policies.values()))
        self._who = dict(zip(policies, range(len(policies)), strict=True))
        self.env: VecEnv | None = None
        self.seen: Any = None
        self.seats: dict[int, Seat] = {}
        self.frames = 0
        self._lay()

    def close(self) -> None:
        """Close the environments."""
        if self.env is not None:
            self.env.close()
            self.env = None

    def _lay(self) -> None:
        """Begin as many of the games that wait as may go on at a time, in new environments."""
        self.close()
        if not (count := min(len(self._waiting), self._rules.side_by_side)):
            return
        self.env = self._make_env(count)
        seeds = {place: self._sit(place) for place in range(count)}
        if isinstance(self.env, AtariVecEnv):
            self.seen = self.env.begin(seeds)
        else:
            self.env._seeds = list(seeds.values())  # as `VecEnv.seed` writes them
            self.seen = self.env.reset()

    def _sit(self, env: int) -> int:
        """Give an environment the next game that waits, and return that game's seed."""
        place = self._waiting.popleft()
        game = self._games[place]
        draws = np.random.default_rng([self._seed, game.number, _OF_ACTIONS])
        self.seats[env] = Seat(game, place, self._who[id(game.policy)], draws)
        return self._seed + game.number

    def step(self, actions: NDArray[Any]) -> list[tuple[int, Played]]:
        """Play one step of every game that goes on; return the places of those that ended."""
        assert self.env is not None
        before = self.seen
        self.seen, rewards, dones, infos = self.env.step(actions)
        self.frames += len(self.seats) * self._rules.step_frames
        self._note_still(before, rewards)
        ended = []
        for env, seat in list(self.seats.items()):
            seat.steps += 1
            seat.score += float(rewards[env])
            if (played := self._end_of(seat, bool(dones[env]), infos[env])) is not None:
                ended.append((seat.place, played))
                del self.seats[env]
                self._follow(env)
        if not self.seats:
            self._lay()
        return ended

    def choose(self) -> NDArray[Any]:
        """Return the games' next actions, (environments, ...): next to 0 where none goes on."""
        assert self.env is not None
        space = self.env.action_space
        actions = np.zeros((self.env.num_envs, *(space.shape or ())), space.dtype)
        if isinstance(space, spaces.Box):
            actions = actions.clip(space.low, space.high)
        at, seats = list(self.seats), list(self.seats.values())
        who = np.array([seat.who for seat in seats])
        draws = [seat.draw() for seat in seats]
        actions[at] = choose(self._judged, who, self.seen[at], draws)
        return actions

    def _note_still(self, before: Any, rewards: NDArray[np.float32]) -> None:
        """Count the steps for which greedy games have stood still."""
        greedy = [env for env, seat in self.seats.items() if seat.game.greedy]
        if not greedy:
            return
        changed = (self.seen[greedy] != before[greedy]).reshape(len(greedy), -1).any(axis=1)
        for env, moved in zip(greedy, changed | (rewards[greedy] != 0), strict=True):
            self.seats[env].still = 0 if moved else self.seats[env].still + 1

    def _end_of(self, seat: Seat, done: bool, info: dict[str, Any]) -> Played | None:
        """Return how a game ended with this step, or None."""
        if done:
            return Played(float(info["episode"]["r"]), int(info["episode"]["l"]), "over")
        frames = seat.steps * self._rules.step_frames
        if seat.game.greedy and seat.still * self._rules.step_frames >= self._rules.still_frames:
            return Played(seat.score, frames, "still")
        if self._rules.longest is not None and frames >= self._rules.longest:
            return Played(seat.score, frames, "cut")
        return None

    def _follow(self, env: int) -> None:
        """Begin the next game where one has ended; others than Atari's go on there unseen."""
        if not isinstance(self.env, AtariVecEnv):
            return
        if self._waiting:
            self.seen = self.env.begin({env: self._sit(env)})
        else:
            self.env.rest([env])
