"""Games to frames, one after another or side by side, and the video that they make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import evaluation_env, judging_seed
from coordconv_rl.agents.play import Game, GameTable, Rules
from coordconv_rl.agents.watch.frames import Frame, caption, enlarge, overlay, side_by_side
from coordconv_rl.agents.watch.grad_cam import grad_cam
from coordconv_rl.agents.watch.video import FPS, check_video, write_video
from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import InputError

FILM_GAMES = 64  # in one video: eight rows of eight
LAST_SECONDS = 1.0  # for which a game's end is seen


@dataclass(frozen=True)
class Film:
    """What is played and shown.

    Attributes:
        episodes: Games; game i is game i of an evaluation with that seed.
        side_by_side: All games at once in one picture, instead of one after another.
        greedy: Play the most likely action instead of a sampled one.
        grad_cam: Show where the agent looks: a heat map over the screen (Selvaraju et al. 2017).
        seed: Seed of the first game; None takes the run's evaluation seed.
    """

    episodes: int = 1
    side_by_side: bool = False
    greedy: bool = False
    grad_cam: bool = False
    seed: int | None = None


def check_film(film: Film, video: Path) -> None:
    """Raise `InputError` if such a film cannot be made, before an agent is opened for it."""
    if not 1 <= film.episodes <= FILM_GAMES:
        raise InputError(f"episodes is {film.episodes}: one video shows 1 to {FILM_GAMES} games")
    check_video(video)


def watch_games(model: Model, config: RunConfig, video: Path, film: Film) -> list[float]:
    """Play games and write them as a video.

    Args:
        model: The agent.
        config: Its configuration.
        video: A .webm, .mp4 or .gif file to write.
        film: What is played and shown.

    Returns:
        The games' raw scores.

    Raises:
        InputError: The film makes no sense, or the video cannot be written.
    """
    check_film(film, video)
    scores: dict[int, float] = {}
    write_video(video, film_frames(model, config, film, scores))
    return [scores[number] for number in range(film.episodes)]


def film_frames(
    model: Model, config: RunConfig, film: Film, scores: dict[int, float]
) -> Iterator[Frame]:
    """Play games and yield their frames, RGB, (height, width, 3).

    Args:
        model: The agent.
        config: Its configuration.
        film: What is played and shown.
        scores: Where each game's raw score is put as it ends, by its number.
    """
    numbers = range(film.episodes)
    for group in [list(numbers)] if film.side_by_side else [[number] for number in numbers]:
        yield from _Screens(model, config, film, group).frames(scores)


class _Screens:
    """Some games that are played at once, and what is seen of them."""

    def __init__(self, model: Model, config: RunConfig, film: Film, numbers: list[int]) -> None:
        self.model = model
        self.config = config
        self.film = film
        self.numbers = numbers
        self.seed = judging_seed(config.seed) if film.seed is None else film.seed
        self.table = GameTable(
            lambda count: evaluation_env(config, count),
            [Game(model.policy, number, film.greedy) for number in numbers],
            self.seed,
            Rules(step_frames=config.step_frames, side_by_side=len(numbers)),
        )
        self.screens: list[Any] = [None] * len(numbers)
        self.scores = [0.0] * len(numbers)

    def frames(self, scores: dict[int, float]) -> Iterator[Frame]:
        """Yield a frame for each step, and a second of the games' ends; note the scores."""
        table = self.table
        try:
            while table.seats:
                actions = table.choose()
                self._look(actions)
                yield self._frame()
                for place, played in table.step(actions):
                    scores[self.numbers[place]] = self.scores[place] = played.score
                    self.screens[place] = self.screens[place] // 2  # darker: it is over
            for _ in range(round(LAST_SECONDS * FPS)):
                yield self._frame()
        finally:
            table.close()

    def _look(self, actions: NDArray[Any]) -> None:
        """Take the screens of the games that go on, with what speaks for their actions."""
        places = list(self.table.seats)
        assert self.table.env is not None
        images = self.table.env.get_images()
        for place in places:
            image = images[place]
            assert image is not None
            self.screens[place] = enlarge(np.asarray(image))
            self.scores[place] = self.table.seats[place].score
        if self.film.grad_cam:
            heats = grad_cam(self.model.policy, self.table.seen[places], actions[places])
            for place, heat in zip(places, heats, strict=True):
                self.screens[place] = overlay(self.screens[place], heat)

    def _frame(self) -> Frame:
        """Return all games as one picture."""
        name = f"{self.config.game}  {self.config.algo} {self.config.arm_label}"
        found = []
        for place, number in enumerate(self.numbers):
            which = f"  game {number + 1}" if self.film.episodes > 1 else ""
            text = f"{name}{which}  score {self.scores[place]:g}"
            found.append(caption(self.screens[place], text))
        return side_by_side(found)
