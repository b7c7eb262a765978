"""Seaquest: a submarine, divers, enemies and oxygen."""

from __future__ import annotations

from coordconv_rl.envs.minatar.boards import LAST, SIDE, stamps, with_trail
from coordconv_rl.envs.minatar.game import DOWN, LEFT, NONE, RIGHT, SHOOT, UP, MiniGame

OXYGEN = 200  # steps under water
MOST_DIVERS = 6
DEEPEST = 8  # row 9 shows oxygen and divers
RELOAD, ENEMY_RELOAD = 5, 10
CORNER = SIDE * LAST + LAST  # the last cell of the gauges' row
ENEMY_EVERY, DIVER_EVERY = 20, 30  # steps between two that come; enemies come faster later
MOVE_EVERY, DIVER_MOVE_EVERY = 5, 5  # steps between two moves; enemies move faster later
FASTEST = 2
SUBMARINE_SHARE = 1 / 3  # of all enemies; the others are fish

Thing = list[int]
"""[column, row, 1 or -1 (where it heads), steps to its next move, steps to its next shot]."""


class Seaquest(MiniGame):
    """A shot enemy gives 1 point, and six divers brought up give up to 10, more with more oxygen.

    The game ends when an enemy or its bullet meets the submarine, when the oxygen is used up, or
    when it surfaces without a diver.
    """

    channels = (
        "sub_front", "sub_back", "friendly_bullet", "trail", "enemy_bullet", "enemy_fish",
        "enemy_sub", "oxygen_gauge", "diver_gauge", "diver",
    )  # fmt: skip
    actions = (NONE, LEFT, UP, RIGHT, DOWN, SHOOT)
    kept = (
        "x", "y", "way", "oxygen", "divers_aboard", "shots", "bullets", "fish", "submarines",
        "divers", "every", "enemy_in", "diver_in", "ramps", "reload", "surfaced",
    )  # fmt: skip

    def _begin(self) -> None:
        self.x, self.y, self.way = 5, 0, -1
        self.oxygen = OXYGEN
        self.divers_aboard = 0
        self.shots: list[Thing] = []
        self.bullets: list[Thing] = []
        self.fish: list[Thing] = []
        self.submarines: list[Thing] = []
        self.divers: list[Thing] = []
        self.every = [ENEMY_EVERY, MOVE_EVERY]
        self.enemy_in = ENEMY_EVERY
        self.diver_in = DIVER_EVERY
        self.ramps = 0
        self.reload = 0
        self.surfaced = True

    def _play(self, action: int) -> int:
        """Let things come, the submarine act, then everything move; breathe at last."""
        if not self.enemy_in:
            self._spawn_enemy()
            self.enemy_in = self.every[0]
        if not self.diver_in:
            self._spawn_diver()
            self.diver_in = DIVER_EVERY
        self._act(action)
        reward = self._move_shots() if self.shots else 0
        if self.divers:
            self._move_divers()
        if self.submarines:
            reward += self._move_enemies(self.submarines)
        if self.bullets:
            self._move_bullets()
        if self.fish:
            reward += self._move_enemies(self.fish)
        self.enemy_in -= self.enemy_in > 0
        self.diver_in -= self.diver_in > 0
        self.reload -= self.reload > 0
        return reward + self._breathe()

    def _spawn_enemy(self) -> None:
        """Let an enemy in at a side, unless its row has enemies that head the other way."""
        way = 1 if self.uniform() < 0.5 else -1
        armed = self.uniform() < SUBMARINE_SHARE
        y = self.random.randint(1, DEEPEST + 1)
        if any(other[1] == y and other[2] != way for other in (*self.submarines, *self.fish)):
            return
        enemy = [0 if way > 0 else LAST, y, way, self.every[1], ENEMY_RELOAD]
        (self.submarines if armed else self.fish).append(enemy)

    def _spawn_diver(self) -> None:
        way = 1 if self.uniform() < 0.5 else -1
        y = self.random.randint(1, DEEPEST + 1)
        self.divers.append([0 if way > 0 else LAST, y, way, DIVER_MOVE_EVERY, 0])

    def _act(self, action: int) -> None:
        if action == SHOOT and not self.reload:
            self.shots.append([self.x, self.y, self.way])
            self.reload = RELOAD
        elif action == LEFT:
            self.x, self.way = max(0, self.x - 1), -1
        elif action == RIGHT:
            self.x, self.way = min(LAST, self.x + 1), 1
        elif action == UP:
            self.y = max(0, self.y - 1)
        elif action == DOWN:
            self.y = min(DEEPEST, self.y + 1)

    def _move_shots(self) -> int:
        """Move the submarine's shots; return the reward of those that hit.

        As everywhere here, things move from the newest to the oldest, and one that goes takes the
        first equal one off its list: the original's order, on which rare states depend.
        """
        reward = 0
        for shot in reversed(self.shots):
            shot[0] += shot[2]
            if not 0 <= shot[0] <= LAST:
                self.shots.remove(shot)
                continue
            for enemies in (self.fish, self.submarines):
                hit = next((one for one in enemies if one[:2] == shot[:2]), None)
                if hit is not None:
                    enemies.remove(hit)
                    self.shots.remove(shot)
                    reward += 1
                    break
        return reward

    def _move_divers(self) -> None:
        for diver in reversed(self.divers):
            if self._is_picked_up(diver):
                self.divers.remove(diver)
                continue
            if diver[3]:
                diver[3] -= 1
                continue
            diver[3] = DIVER_MOVE_EVERY
            diver[0] += diver[2]
            if not 0 <= diver[0] <= LAST or self._is_picked_up(diver):
                self.divers.remove(diver)

    def _is_picked_up(self, diver: Thing) -> bool:
        """Take the diver aboard if it is here and there is room."""
        there = self._is_here(diver) and self.divers_aboard < MOST_DIVERS
        self.divers_aboard += there
        return there

    def _is_here(self, thing: Thing) -> bool:
        return thing[0] == self.x and thing[1] == self.y

    def _move_enemies(self, enemies: list[Thing]) -> int:
        """Move submarines or fish; return the reward of those that swim into a shot."""
        reward = 0
        for enemy in reversed(enemies):
            self.terminal = self.terminal or self._is_here(enemy)
            if enemy[3]:
                enemy[3] -= 1
            else:
                enemy[3] = self.every[1]
                reward += self._swim(enemy, enemies)
            if enemies is self.submarines:
                self._shoot_back(enemy)
        return reward

    def _swim(self, enemy: Thing, enemies: list[Thing]) -> int:
        enemy[0] += enemy[2]
        if not 0 <= enemy[0] <= LAST:
            enemies.remove(enemy)
        elif self._is_here(enemy):
            self.terminal = True
        else:
            for shot in self.shots:
                if shot[:2] == enemy[:2]:
                    enemies.remove(enemy)
                    self.shots.remove(shot)
                    return 1
        return 0

    def _shoot_back(self, enemy: Thing) -> None:
        if enemy[4]:
            enemy[4] -= 1
        else:
            enemy[4] = ENEMY_RELOAD
            self.bullets.append(enemy[:3])

    def _move_bullets(self) -> None:
        for bullet in reversed(self.bullets):
            self.terminal = self.terminal or self._is_here(bullet)
            bullet[0] += bullet[2]
            if not 0 <= bullet[0] <= LAST:
                self.bullets.remove(bullet)
            else:
                self.terminal = self.terminal or self._is_here(bullet)

    def _breathe(self) -> int:
        """Use oxygen under water; at the surface get some, and points for six divers."""
        if self.oxygen <= 0:
            self.terminal = True
        if self.y > 0:
            self.oxygen -= 1
            self.surfaced = False
            return 0
        if self.surfaced:
            return 0
        if not self.divers_aboard:
            self.terminal = True
            return 0
        return self._surface()

    def _surface(self) -> int:
        """Fill up with oxygen, bring divers ashore, and make the game harder.

        After six divers the count is -1, as in the original: the next one is not seen aboard.
        """
        self.surfaced = True
        reward = 0
        if self.divers_aboard == MOST_DIVERS:
            self.divers_aboard = 0
            reward = self.oxygen * SIDE // OXYGEN
        self.divers_aboard -= 1
        self.oxygen = OXYGEN
        enemy_every, move_every = self.every
        if enemy_every > 1 or move_every > FASTEST:
            if move_every > FASTEST and self.ramps % 2:
                move_every -= 1
            self.every = [max(1, enemy_every - 1), move_every]
            self.ramps += 1
        return reward

    def picture(self) -> int:
        """Return what `channels` names."""
        oxygen = max(0, self.oxygen) * SIDE // OXYGEN
        seen = BOAT[self.way][SIDE * self.y + self.x]
        seen |= OXYGEN_GAUGE[oxygen] | DIVER_GAUGE[max(0, self.divers_aboard)]
        things_of = (self.shots, self.bullets, self.fish, self.submarines, self.divers)
        for things, stamp in zip(things_of, STAMPS, strict=True):
            for thing in things:
                seen |= stamp[thing[2]][SIDE * thing[1] + thing[0]]
        return seen


def _moving(channel: int, trail: int) -> dict[int, tuple[int, ...]]:
    return {way: with_trail(stamps(channel), stamps(trail), way) for way in (1, -1)}


BOAT = _moving(0, 1)
STAMPS = (
    *({1: stamps(channel), -1: stamps(channel)} for channel in (2, 4)),  # bullets have no trail
    *(_moving(channel, 3) for channel in (5, 6, 9)),
)
OXYGEN_GAUGE = [sum(stamps(7)[SIDE * LAST : SIDE * LAST + length]) for length in range(SIDE + 1)]
DIVER_GAUGE = [sum(stamps(8)[CORNER - divers : CORNER]) for divers in range(MOST_DIVERS + 1)]
