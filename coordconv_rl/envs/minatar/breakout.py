"""Breakout: bounce a ball off a paddle into three rows of bricks."""

from __future__ import annotations

from coordconv_rl.envs.minatar.boards import BITS, BOARD_CELLS, LAST, SIDE, rectangle, stamps
from coordconv_rl.envs.minatar.game import LEFT, NONE, RIGHT, MiniGame

WALL = rectangle(rows=range(1, 4), columns=range(SIDE))
PADDLE, BALL, TRAIL = map(stamps, range(3))
BRICKS = 3 * BOARD_CELLS  # where their channel begins in a picture


class Breakout(MiniGame):
    """A brick gives 1 point; the game ends when the ball passes the paddle.

    The ball moves diagonally, one cell a step. A full new wall comes when the ball reaches the
    paddle's row and no brick is left.
    """

    channels = ("paddle", "ball", "trail", "brick")
    actions = (NONE, LEFT, RIGHT)
    kept = ("ball_x", "ball_y", "dx", "dy", "last_x", "last_y", "paddle", "bricks", "in_wall")

    def _begin(self) -> None:
        from_right = bool(self.random.randint(2))
        self.ball_x, self.dx = (LAST, -1) if from_right else (0, 1)
        self.ball_y, self.dy = 3, 1
        self.last_x, self.last_y = self.ball_x, self.ball_y
        self.paddle = 4
        self.bricks = WALL
        self.in_wall = False  # whether the ball struck in the last step: it then breaks no brick

    def _play(self, action: int) -> int:
        """Move the paddle, then the ball."""
        if action == LEFT:
            self.paddle = max(0, self.paddle - 1)
        elif action == RIGHT:
            self.paddle = min(LAST, self.paddle + 1)
        self.last_x, self.last_y = self.ball_x, self.ball_y
        x = self.ball_x + self.dx
        if not 0 <= x <= LAST:  # off a side wall: the ball stays in its column for this step
            x, self.dx = self.ball_x, -self.dx
        return self._fly(x, self.ball_y + self.dy)

    def _fly(self, x: int, y: int) -> int:
        """Move the ball to column x and row y, unless something is in its way."""
        reward = 0
        in_wall = False
        if y < 0:
            y, self.dy = 0, 1
        elif self.bricks & BITS[SIDE * y + x]:
            in_wall = True
            if not self.in_wall:
                reward = 1
                self.bricks ^= BITS[SIDE * y + x]
                y, self.dy = self.last_y, -self.dy
        elif y == LAST:
            self.bricks = self.bricks or WALL
            if self.paddle == self.last_x:
                y, self.dy = self.last_y, -1
            elif self.paddle == x:  # met at its edge, the ball goes back where it came from
                y, self.dx, self.dy = self.last_y, -self.dx, -1
            else:
                self.terminal = True
        self.in_wall = in_wall
        self.ball_x, self.ball_y = x, y
        return reward

    def picture(self) -> int:
        """Return the paddle, the ball, where the ball was before, and the bricks."""
        return (
            PADDLE[SIDE * LAST + self.paddle]
            | BALL[SIDE * self.ball_y + self.ball_x]
            | TRAIL[SIDE * self.last_y + self.last_x]
            | self.bricks << BRICKS
        )
