"""A video of a trained agent: real frames of one game, with the score."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import SEED_OFFSET, evaluation_env, load_agent
from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import InputError

FPS = 15.0  # the emulator's 60 frames a second, of which the agent sees every fourth
SCALE = 2  # the emulator's 160 x 210 pixels are small
BAR = 28  # pixels below the game, for the score
SUFFIXES = (".mp4", ".gif")
MAX_GIF_FRAMES = 1_500  # a GIF keeps every frame in memory until it is written

Frame = np.ndarray[Any, np.dtype[np.uint8]]


def watch_game(
    folder: Path,
    video: Path,
    *,
    greedy: bool = False,
    seed: int | None = None,
    device: str | None = None,
    trust_code: bool = False,
) -> float:
    """Play one game and write it as a video.

    Args:
        folder: The run's folder.
        video: An .mp4 or .gif file to write.
        greedy: Play the most likely action instead of a sampled one.
        seed: Seed of the game; None takes the run's evaluation seed.
        device: Where the network lives; see `load_agent`.
        trust_code: Whether code that the folder names may be imported; see `load_agent`.

    Returns:
        The game's raw score.

    Raises:
        InputError: The folder holds no agent, or the video cannot be written.
    """
    if video.suffix not in SUFFIXES:
        raise InputError(f"{video} must end in {' or '.join(SUFFIXES)}")
    if not video.parent.is_dir():
        raise InputError(f"cannot write {video}: {video.parent} is no folder")
    model, config, _ = load_agent(folder, device=device, trust_code=trust_code)
    chosen = config.seed + SEED_OFFSET if seed is None else seed
    frames = _game(model, config, greedy=greedy, seed=chosen)
    temporary = video.with_name(f".{video.stem}.partial{video.suffix}")
    try:
        write = _write_gif if video.suffix == ".gif" else _write_mp4
        score = write(temporary, frames)
        temporary.replace(video)
    except OSError as error:
        raise InputError(f"cannot write {video}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return score


def _game(
    model: Model, config: RunConfig, *, greedy: bool, seed: int
) -> Iterator[tuple[Frame, float]]:
    """Yield each RGB frame of one game, (height, width, 3), with the score so far."""
    env = evaluation_env(config, 1, seed=seed)
    torch.manual_seed(seed)
    try:
        observation: Any = env.reset()
        score = 0.0
        yield _caption(env.get_images()[0], config, score), score
        while True:
            actions, _ = model.predict(observation, deterministic=greedy)
            observation, rewards, dones, _ = env.step(actions)
            score += float(rewards[0])
            if dones[0]:
                return
            yield _caption(env.get_images()[0], config, score), score
    finally:
        env.close()


def _caption(image: Any, config: RunConfig, score: float) -> Frame:
    height, width = SCALE * image.shape[0], SCALE * image.shape[1]
    frame = np.zeros((height + BAR, width, 3), np.uint8)
    frame[:height] = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
    text = f"{config.game}  {config.algo} {config.arm_label}  score {score:g}"
    font, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
    cv2.putText(frame, text, (6, height + 19), font, 0.42, white, 1, cv2.LINE_AA)
    return frame


def _write_mp4(path: Path, frames: Iterator[tuple[Frame, float]]) -> float:
    frame, score = next(frames)
    size = (frame.shape[1], frame.shape[0])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, size)
    if not writer.isOpened():
        raise OSError(0, "OpenCV cannot open it for writing")
    try:
        writer.write(frame[..., ::-1])
        for frame, score in frames:  # noqa: B007 - the last score is the game's
            writer.write(frame[..., ::-1])
    finally:
        writer.release()
    return score


def _write_gif(path: Path, frames: Iterator[tuple[Frame, float]]) -> float:
    images: list[Image.Image] = []
    score = 0.0
    for frame, score in frames:  # noqa: B007
        if len(images) < MAX_GIF_FRAMES:
            images.append(Image.fromarray(frame).quantize(64))
    duration = round(1000 / FPS)
    images[0].save(path, save_all=True, append_images=images[1:], duration=duration, loop=0)
    return score
