"""Frames to a file that browsers play: VP8 in .webm, H.264 in .mp4, or a GIF.

OpenCV has an encoder for VP8, which Chromium, Firefox and Safari play; it has none for H.264, and
its VP9 takes five times as long (68 ms instead of 13 for a frame of Atari). H.264 needs the extra
"video", takes 5 ms and half the room, and plays outside of browsers too.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from coordconv_rl.agents.watch.frames import Frame
from coordconv_rl.errors import InputError, missing_extra
from coordconv_rl.files import file_beside

log = logging.getLogger(__name__)

VIDEO_EXTRA = "video"
FPS = 15.0  # the emulator's 60 frames a second, of which the agent sees every fourth
SUFFIXES = (".webm", ".mp4", ".gif")
X264 = ("-preset", "veryfast", "-crf", "20", "-movflags", "+faststart")
MAX_GIF_FRAMES = 1_500  # a GIF keeps every frame in memory until it is written
GIF_COLOURS = 64


def check_video(video: Path) -> None:
    """Raise `InputError` unless the file can be a video, before anything is played for it."""
    if video.suffix not in SUFFIXES:
        raise InputError(f"{video} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    if not video.parent.is_dir():
        raise InputError(f"cannot write {video}: {video.parent} is no folder")
    if video.suffix == ".mp4":
        _ffmpeg()


def write_video(video: Path, frames: Iterator[Frame]) -> int:
    """Write frames under a temporary name, then rename it.

    Args:
        video: The file; its ending says which kind.
        frames: RGB, (height, width, 3), all alike in size, at least one.

    Returns:
        How many frames are in the file: a GIF has at most `MAX_GIF_FRAMES`.

    Raises:
        InputError: It cannot be written; nothing is left behind.
    """
    check_video(video)
    write = {".webm": _write_vp8, ".mp4": _write_h264, ".gif": _write_gif}[video.suffix]
    try:
        with file_beside(video) as temporary:
            count = write(temporary, frames)
            temporary.replace(video)
    except OSError as error:
        raise InputError(f"cannot write {video}: {error.strerror or error}") from error
    return count


def _write_vp8(path: Path, frames: Iterator[Frame]) -> int:
    """Write by OpenCV."""
    frame = _even(next(frames))
    size = (frame.shape[1], frame.shape[0])
    with _quiet():
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"VP80"), FPS, size)
    if not writer.isOpened():
        raise OSError(0, "OpenCV cannot write VP8 there; a .gif needs no encoder")
    count = 1
    try:
        writer.write(frame[..., ::-1])
        for frame in frames:
            writer.write(_even(frame)[..., ::-1])
            count += 1
    finally:
        writer.release()
    return count


def _write_h264(path: Path, frames: Iterator[Frame]) -> int:
    """Write by the ffmpeg that imageio-ffmpeg brings."""
    ffmpeg = _ffmpeg()
    frame, count = _even(next(frames)), 1
    size = (frame.shape[1], frame.shape[0])
    writer = ffmpeg.write_frames(
        str(path), size, fps=FPS, codec="libx264", macro_block_size=2, output_params=[*X264],
        ffmpeg_log_level="error",
    )  # fmt: skip
    writer.send(None)
    try:
        writer.send(frame)
        for frame in frames:
            writer.send(_even(frame))
            count += 1
    finally:
        writer.close()
    return count


def _ffmpeg() -> Any:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise InputError(f"{missing_extra(VIDEO_EXTRA, error)}, or write a .webm") from error
    return imageio_ffmpeg


def _even(frame: Frame) -> Frame:
    """Return a frame of even height and width, which the halved colours of videos need."""
    height, width = frame.shape[:2]
    return np.ascontiguousarray(np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0))))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep off the terminal what FFmpeg prints about codes that both sides understand."""
    saved = os.dup(2)
    try:
        with tempfile.TemporaryFile() as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _write_gif(path: Path, frames: Iterator[Frame]) -> int:
    images = []
    for number, frame in enumerate(frames):  # to the end: the score is known only there
        if number < MAX_GIF_FRAMES:
            images.append(Image.fromarray(frame).quantize(GIF_COLOURS))
    if number >= MAX_GIF_FRAMES:
        log.info("the GIF has the first %d frames of %d: a .webm has all", len(images), number + 1)
    duration = round(1000 / FPS)
    images[0].save(path, save_all=True, append_images=images[1:], duration=duration, loop=0)
    return len(images)
