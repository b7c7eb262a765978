"""Asterix: collect gold, dodge enemies."""

from __future__ import annotations

from coordconv_rl.envs.minatar.boards import BITS, LAST, SIDE, stamps, with_trail
from coordconv_rl.envs.minatar.game import DOWN, LANES, LEFT, NONE, RIGHT, UP, MiniGame

SPAWN_EVERY, MOVE_EVERY = 10, 5  # steps, at the start
RAMP_EVERY = 100  # the count that must fall below zero before it becomes harder
GOLD_SHARE = 1 / 3  # of all that comes


class Asterix(MiniGame):
    """Gold gives 1 point; the game ends when an enemy meets the player.

    Both come from the sides. Every 102 steps they come more often, and every other time faster.
    """

    channels = ("player", "enemy", "trail", "gold")
    actions = (NONE, LEFT, UP, RIGHT, DOWN)
    kept = ("x", "y", "lanes", "every", "spawn_in", "move_in", "ramp_in", "ramps")

    def _begin(self) -> None:
        self.x = self.y = 5
        self.lanes: list[list[int] | None] = [None] * LANES  # [column, 1 or -1, whether gold]
        self.every = [SPAWN_EVERY, MOVE_EVERY]
        self.spawn_in, self.move_in = self.every
        self.ramp_in = RAMP_EVERY
        self.ramps = 0

    def _play(self, action: int) -> int:
        """Let a thing come, walk, then move everything."""
        if not self.spawn_in:
            self._spawn()
            self.spawn_in = self.every[0]
        self._walk(action)
        reward = self._meet(self.y - 1) if self.lanes[self.y - 1] else 0
        if not self.move_in:
            self.move_in = self.every[1]
            reward += self._move_all()
        self.spawn_in -= 1
        self.move_in -= 1
        self._ramp()
        return reward

    def _spawn(self) -> None:
        rightwards = self.uniform() < 0.5
        gold = self.uniform() < GOLD_SHARE
        free = [lane for lane, thing in enumerate(self.lanes) if thing is None]
        if free:
            lane = free[self.random.randint(len(free))]
            self.lanes[lane] = [0, 1, int(gold)] if rightwards else [LAST, -1, int(gold)]

    def _walk(self, action: int) -> None:
        if action == LEFT:
            self.x = max(0, self.x - 1)
        elif action == RIGHT:
            self.x = min(LAST, self.x + 1)
        elif action == UP:
            self.y = max(1, self.y - 1)
        elif action == DOWN:
            self.y = min(LANES, self.y + 1)

    def _meet(self, lane: int) -> int:
        """Let the player take the gold in its lane, or lose to the enemy there."""
        thing = self.lanes[lane]
        if thing is None or lane != self.y - 1 or thing[0] != self.x:
            return 0
        if not thing[2]:
            self.terminal = True
            return 0
        self.lanes[lane] = None
        return 1

    def _move_all(self) -> int:
        reward = 0
        for lane, thing in enumerate(self.lanes):
            if thing is None:
                continue
            thing[0] += thing[1]
            if 0 <= thing[0] <= LAST:
                reward += self._meet(lane)
            else:
                self.lanes[lane] = None
        return reward

    def _ramp(self) -> None:
        """Count down to the next increase of difficulty."""
        spawn_every, move_every = self.every
        if spawn_every == 1 and move_every == 1:
            return
        if self.ramp_in >= 0:
            self.ramp_in -= 1
            return
        if move_every > 1 and self.ramps % 2:
            move_every -= 1
        if spawn_every > 1:
            spawn_every -= 1
        self.every = [spawn_every, move_every]
        self.ramps += 1
        self.ramp_in = RAMP_EVERY

    def picture(self) -> int:
        """Return the player, the enemies, where all things come from, and the gold."""
        seen = BITS[SIDE * self.y + self.x]
        for row, thing in zip(_ROWS, self.lanes, strict=True):
            if thing is not None:
                x, way, gold = thing
                seen |= (GOLD if gold else ENEMY)[way][row + x]
        return seen


_ROWS = range(SIDE, SIDE * LAST, SIDE)
ENEMY, GOLD = (
    {way: with_trail(stamps(channel), stamps(2), way) for way in (1, -1)} for channel in (1, 3)
)
