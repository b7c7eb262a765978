"""Fresh games of an agent, all side by side: one pass of its network a step for all of them.

What becomes of a game depends on the agent, on the game's own seed and on its own random draws, not
on what else is played beside it. The order in which a processor adds numbers up does depend on the
size of a batch, in the last bits; where a choice of action is as close as that, it is made again
from that game's observation alone. (SB3's `evaluate_policy` draws actions for all games from one
generator and lets an environment go on from game to game, so that each score depends on all
others; its scores of more than one game cannot be had again.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.envs import AtariVecEnv

SIDE_BY_SIDE = 128  # games at a time: more are played in turns
STEP_FRAMES = 4  # emulator frames of one environment step
# Half a minute at 60 frames a second. A greedy agent that sees four equal images in a row does the
# same again until the screen changes by itself, which Atari games do within some seconds (after a
# lost life, between two rounds); a game that waits for FIRE waits for ever.
STILL_FRAMES = 1_800
# Twenty times what float32 sums of a network's last layer differ by (measured: below 5e-7 of a
# probability, at batches of 1 to 64), and rare enough that it costs nothing.
TOO_CLOSE = 1e-5

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
        frames: Its length in emulator frames.
        why: "over"; "still" if it stood still; "cut" at the longest length allowed.
    """

    score: float
    frames: int
    why: Why


@dataclass(frozen=True)
class Rules:
    """When a game ends before its end.

    Attributes:
        still_frames: Emulator frames without reward and without a change of what the agent sees,
            after which a greedy game ends.
        longest: Emulator frames after which any game is cut; None for no such end.
    """

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
    """Play games side by side.

    Args:
        make_env: Makes so many environments for judging.
        games: The games.
        seed: Seed of environments and actions.
        rules: When a game ends before its end.
        on_end: Called with a game's place in `games` and how it ended, as it ends.
        on_step: Called after every step with how many emulator frames the games have behind them
            that go on; what it raises ends the games.

    Returns:
        How each game ended, in the order of `games`.
    """
    ends: dict[int, Played] = {}
    for first in range(0, len(games), SIDE_BY_SIDE):
        table = GameTable(make_env, games[first : first + SIDE_BY_SIDE], seed, rules)
        try:
            while table.active.any():
                for place, played in table.step(table.choose()):
                    ends[first + place] = played
                    on_end(first + place, played)
                on_step(table.steps * STEP_FRAMES)
        finally:
            table.env.close()
    return [ends[place] for place in range(len(games))]


class GameTable:
    """Games that go on side by side, each in an environment of its own; see `play_games`.

    Attributes:
        env: The environments; whoever makes a table closes them.
        seen: What the agents see now, shape (N, ...).
        active: Which games go on, shape (N,).
        returns: Rewards so far, shape (N,).
        steps: Steps so far.
    """

    def __init__(
        self, make_env: Callable[[int], VecEnv], games: Sequence[Game], seed: int, rules: Rules
    ) -> None:
        self.games = games
        self.rules = rules
        self.steps = 0
        self.active = np.ones(len(games), bool)
        self.returns = np.zeros(len(games))
        self._still = np.zeros(len(games), np.int64)  # steps
        self._draws = [np.random.default_rng([seed, game.number]) for game in games]
        self.env = make_env(len(games))
        self.env._seeds = [seed + game.number for game in games]  # as `VecEnv.seed` writes them
        self.seen: Any = self.env.reset()
        for policy in {id(game.policy): game.policy for game in games}.values():
            policy.set_training_mode(False)

    def choose(self) -> NDArray[Any]:
        """Return the games' next actions, shape (N, ...): zeros for those that are over."""
        space, active = self.env.action_space, [*map(int, np.flatnonzero(self.active))]
        actions = np.zeros((len(self.games), *(space.shape or ())), space.dtype)
        for policy in {id(game.policy): game.policy for game in self.games}.values():
            if mine := [i for i in active if self.games[i].policy is policy]:
                draws = [None if self.games[i].greedy else self._draws[i].random() for i in mine]
                actions[mine] = choose(policy, self.seen[mine], draws)
        return actions

    def step(self, actions: NDArray[Any]) -> list[tuple[int, Played]]:
        """Play one step of every game that goes on; return those that have ended, by place."""
        before = self.seen
        self.seen, rewards, dones, infos = self.env.step(actions)
        self.steps += 1
        self.returns += np.where(self.active, rewards, 0.0)
        moved = (self.seen != before).reshape(len(self.games), -1).any(axis=1) | (rewards != 0)
        self._still = np.where(moved, 0, self._still + 1)
        ended = []
        for place in map(int, np.flatnonzero(self.active)):
            if (played := self._end_of(place, bool(dones[place]), infos[place])) is not None:
                ended.append((place, played))
        self._rest([place for place, _ in ended])
        return ended

    def _end_of(self, place: int, done: bool, info: dict[str, Any]) -> Played | None:
        """Return how a game ended with this step, or None."""
        if done:
            episode = info["episode"]
            return Played(float(episode["r"]), int(episode["l"]), "over")
        frames = self.steps * STEP_FRAMES
        still = self._still[place] * STEP_FRAMES >= self.rules.still_frames
        if self.games[place].greedy and still:
            return Played(float(self.returns[place]), frames, "still")
        if self.rules.longest is not None and frames >= self.rules.longest:
            return Played(float(self.returns[place]), frames, "cut")
        return None

    def _rest(self, ended: list[int]) -> None:
        """Play games that have ended no further; environments that cannot rest go on unseen."""
        if ended:
            self.active[ended] = False
            if isinstance(self.env, AtariVecEnv):
                self.env.rest(ended)


def choose(
    policy: ActorCriticPolicy, observations: NDArray[Any], draws: Sequence[float | None]
) -> NDArray[Any]:
    """Choose an action for each observation, whatever the others are.

    Args:
        policy: Who plays.
        observations: Shape (N, ...).
        draws: For each a number from 0 to 1 that a sampled action follows from, or None for the
            most likely action.

    Returns:
        Shape (N, ...), as the action space.
    """
    if not isinstance(policy.action_space, spaces.Discrete):
        return np.stack([_alone(policy, *pair) for pair in zip(observations, draws, strict=True)])
    chances = probabilities(policy, observations)
    close = [_is_close(row, draw) for row, draw in zip(chances, draws, strict=True)]
    for place in np.flatnonzero(close):
        chances[place] = probabilities(policy, observations[place : place + 1])[0]
    return np.array([_action(row, draw) for row, draw in zip(chances, draws, strict=True)])


def probabilities(policy: ActorCriticPolicy, observations: NDArray[Any]) -> NDArray[np.float64]:
    """Return the probability of each action, shape (N, actions), in one pass of the network."""
    with torch.no_grad():
        tensor, _ = policy.obs_to_tensor(observations)
        found = policy.get_distribution(tensor)
    assert isinstance(found, CategoricalDistribution)
    logits: torch.Tensor = found.distribution.logits
    return logits.double().softmax(dim=1).cpu().numpy()


def _is_close(chances: NDArray[np.float64], draw: float | None) -> bool:
    """Return whether rounding could have decided the action."""
    if draw is not None:
        return bool((np.abs(np.cumsum(chances)[:-1] - draw) < TOO_CLOSE).any())
    second, first = np.sort(chances)[-2:] if len(chances) > 1 else (0.0, 1.0)
    return bool(first - second < TOO_CLOSE)


def _alone(policy: ActorCriticPolicy, observation: NDArray[Any], draw: float | None) -> Any:
    """Choose one action of any kind, as SB3 does; a sampled one follows from the draw alone."""
    with torch.random.fork_rng():
        if draw is not None:
            torch.manual_seed(int(draw * 2**53))
        return policy.predict(observation[None], deterministic=draw is None)[0][0]


def _action(chances: NDArray[np.float64], draw: float | None) -> int:
    if draw is None:
        return int(chances.argmax())
    return min(int(np.searchsorted(np.cumsum(chances), draw, side="right")), len(chances) - 1)
