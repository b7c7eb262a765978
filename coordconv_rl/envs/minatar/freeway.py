"""Freeway: cross a road of eight lanes."""

from __future__ import annotations

from coordconv_rl.envs.minatar.boards import BITS, LAST, SIDE, stamps
from coordconv_rl.envs.minatar.game import DOWN, LANES, NONE, UP, MiniGame

STEPS = 2_500  # the game ends when the count falls below zero: after 2,501 steps
COLUMN = 4  # where the chicken walks
WALK_EVERY = 3  # steps between two of its moves
SPEEDS = range(1, 6)  # a car stands that many steps between two moves


class Freeway(MiniGame):
    """Reaching the other side gives 1 point; the game ends after a fixed time.

    A car sends the chicken back to the start. After each crossing the cars get new speeds.

    Attributes:
        cars: The column of each lane's car.
        speeds: Each car's steps between two moves, negative if it drives to the left.
        due: Lanes that move in this step, in the next one, and so on: most stand still.
    """

    channels = ("chicken", "car", "speed1", "speed2", "speed3", "speed4", "speed5")
    actions = (NONE, UP, DOWN)
    kept = ("cars", "speeds", "due", "chicken", "rest", "time_left")

    def _begin(self) -> None:
        self.cars = [0] * LANES
        self._change_speeds()
        self.chicken = LAST
        self.rest = WALK_EVERY
        self.time_left = STEPS

    def _change_speeds(self) -> None:
        """Draw the lanes' speeds, then their directions."""
        sizes = self.random.randint(SPEEDS.start, SPEEDS.stop, LANES).tolist()
        ways = self.random.random_sample(LANES).tolist()
        self.speeds = [size if way >= 0.5 else -size for size, way in zip(sizes, ways, strict=True)]
        self.due: list[list[int]] = [[] for _ in range(SPEEDS.stop)]
        for lane, size in enumerate(sizes):
            self.due[size].append(lane)

    def _play(self, action: int) -> int:
        """Let the chicken walk, then the cars drive."""
        reward = 0
        if self.rest:
            self.rest -= 1
        elif action == UP:
            self.chicken -= 1
            self.rest = WALK_EVERY - 1
        elif action == DOWN:
            self.chicken = min(LAST, self.chicken + 1)
            self.rest = WALK_EVERY - 1
        if self.chicken == 0:
            reward = 1
            self._change_speeds()
            self.chicken = LAST
        self._drive()
        self.time_left -= 1
        self.terminal = self.time_left < 0
        return reward

    def _drive(self) -> None:
        """Move the cars; one that stands on the chicken, before or after, sends it back."""
        lane = self.chicken - 1
        hit = lane < LANES and self.cars[lane] == COLUMN
        moving = self.due.pop(0)
        self.due.append([])
        for one in moving:
            speed = self.speeds[one]
            self.cars[one] = (self.cars[one] + (1 if speed > 0 else -1)) % SIDE
            self.due[abs(speed)].append(one)
        if hit or (lane < LANES and self.cars[lane] == COLUMN):
            self.chicken = LAST

    def picture(self) -> int:
        """Return the chicken, the cars, and behind each car a mark for its speed."""
        seen = BITS[SIDE * self.chicken + COLUMN]
        for row, x, speed in zip(_ROWS, self.cars, self.speeds, strict=True):
            seen |= CAR[speed][row + x]
        return seen


def _car(speed: int) -> tuple[int, ...]:
    """Return a car's stamps; its mark wraps around the road's end as the car itself does."""
    way = 1 if speed > 0 else -1
    cars, marks = stamps(1), stamps(1 + abs(speed))
    return tuple(
        car | marks[cell - cell % SIDE + (cell % SIDE - way) % SIDE]
        for cell, car in enumerate(cars)
    )


_ROWS = range(SIDE, SIDE * LAST, SIDE)
CAR = {way * size: _car(way * size) for way in (1, -1) for size in SPEEDS}
