"""Space Invaders: shoot aliens that come nearer."""

from __future__ import annotations

from coordconv_rl.envs.minatar.boards import (
    ALL,
    BITS,
    BOARD_CELLS,
    COLUMN_CELLS,
    LAST,
    ROW_CELLS,
    SIDE,
    rectangle,
)
from coordconv_rl.envs.minatar.game import LEFT, NONE, RIGHT, SHOOT, MiniGame

WAVE = rectangle(rows=range(4), columns=range(2, 8))
# A product with these writes a board in two channels.
LEFTWARDS = 1 << BOARD_CELLS | 1 << 2 * BOARD_CELLS
RIGHTWARDS = 1 << BOARD_CELLS | 1 << 3 * BOARD_CELLS
RELOAD = 5  # steps between two shots of the cannon
ALIEN_RELOAD = 10
SLOWEST, FASTEST = 12, 6  # steps between two moves of a wave, at the start and after many waves


class SpaceInvaders(MiniGame):
    """An alien gives 1 point; the game ends when an alien or its bullet reaches the cannon.

    The fewer aliens are left, the faster they move; each new wave is faster than the one before.
    """

    channels = ("cannon", "alien", "alien_left", "alien_right", "friendly_bullet", "enemy_bullet")
    actions = (NONE, LEFT, RIGHT, SHOOT)
    kept = ("cannon", "shots", "bullets", "aliens", "way", "every", "move_in", "fire_in", "reload")

    def _begin(self) -> None:
        self.cannon = 5
        self.shots = self.bullets = 0
        self.aliens = WAVE
        self.way = -1
        self.every = self.move_in = SLOWEST
        self.fire_in = ALIEN_RELOAD
        self.reload = 0

    def _play(self, action: int) -> int:
        """Act, move bullets, march and shoot back, then take away what was hit."""
        here = self._act(action)
        self.shots >>= SIDE
        self.bullets = self.bullets << SIDE & ALL
        self.terminal = bool((self.bullets | self.aliens) & here)
        if not self.move_in:
            self._march()
            self.terminal = self.terminal or bool(self.aliens & here)
        if not self.fire_in:
            self.fire_in = ALIEN_RELOAD
            self.bullets |= self._nearest_alien()
        hit = self.aliens & self.shots
        self.aliens ^= hit
        self.shots ^= hit
        self.reload -= self.reload > 0
        self.move_in -= 1
        self.fire_in -= 1
        if not self.aliens:
            self.every -= self.every > FASTEST
            self.aliens = WAVE
        return hit.bit_count()

    def _act(self, action: int) -> int:
        """Shoot or move; return the cannon's cell."""
        if action == SHOOT and not self.reload:
            self.shots |= BITS[SIDE * LAST + self.cannon]
            self.reload = RELOAD
        elif action == LEFT:
            self.cannon = max(0, self.cannon - 1)
        elif action == RIGHT:
            self.cannon = min(LAST, self.cannon + 1)
        return BITS[SIDE * LAST + self.cannon]

    def _march(self) -> None:
        """Move the wave sideways; at the border turn it around and move it down instead."""
        self.move_in = min(self.aliens.bit_count(), self.every)
        if self.aliens & COLUMN_CELLS[0 if self.way < 0 else LAST]:
            self.way = -self.way
            self.terminal = self.terminal or bool(self.aliens & ROW_CELLS[LAST])
            self.aliens = (self.aliens << SIDE | self.aliens >> SIDE * LAST) & ALL
        else:
            self.aliens = self.aliens >> 1 if self.way < 0 else self.aliens << 1

    def _nearest_alien(self) -> int:
        """Return the cell of the lowest alien in the column nearest to the cannon, left first."""
        for x in sorted(range(SIDE), key=lambda column: abs(column - self.cannon)):
            if column := self.aliens & COLUMN_CELLS[x]:
                return BITS[column.bit_length() - 1]
        return 0

    def picture(self) -> int:
        """Return the cannon, the aliens, the same if they go left or right, and both's bullets."""
        return (
            BITS[SIDE * LAST + self.cannon]
            | self.aliens * (LEFTWARDS if self.way < 0 else RIGHTWARDS)
            | self.shots << 4 * BOARD_CELLS
            | self.bullets << 5 * BOARD_CELLS
        )
