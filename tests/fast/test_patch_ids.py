from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from coordconv_rl import AtariVecEnv
from coordconv_rl.fast import patch_ids
from coordconv_rl.fast.patch_ids import PatchIds, block_ids, window_ids
from coordconv_rl.fast.patch_index import PatchIndex

Bytes = NDArray[np.uint8]
LEVELS = ((8, 4, 1), (12, 8, 2), (20, 8, 1), (28, 8, 1), (36, 8, 1))
"""Pixels and stride of the windows that make up the three convolutions, and the stride below."""


def played(game: str, envs: int = 2, steps: int = 16) -> Bytes:
    env = AtariVecEnv(game, envs, seed=5)
    rng = np.random.default_rng(5)
    env.reset()
    seen = [env.step(rng.integers(env.action_space.n, size=envs))[0] for _ in range(steps)]
    env.close()
    return np.ascontiguousarray(np.stack(seen, 1).reshape(-1, 4, 84, 84).transpose(0, 2, 3, 1))


def flickering(height: int, width: int) -> Bytes:
    """Return frames of which most pixels are one of two values, so that contents come back."""
    rng = np.random.default_rng(1)
    frames = np.zeros((24, height, width, 4), np.uint8)
    frames[:, 3::9, 2::7] = rng.integers(0, 2, frames[:, 3::9, 2::7].shape) * 255
    return frames


def check(named: PatchIds, frames: Bytes, size: int, stride: int) -> None:
    """Compare with the contents themselves: equal numbers, equal bytes, and the other way round."""
    height, width, images = named.ids.shape
    found: dict[tuple[int, int, bytes], int] = {}
    for image in range(images):
        for row in range(height):
            for column in range(width):
                y, x = row * stride, column * stride
                content = frames[image, y : y + size, x : x + size].tobytes()
                number = int(named.ids[row, column, image])
                assert found.setdefault((row, column, content), number) == number
    assert sorted(found.values()) == list(range(len(named.first)))
    by_number = sorted((number, row * width + column) for (row, column, _), number in found.items())
    assert [position for _, position in by_number] == named.positions.tolist()
    assert named.positions.tolist() == sorted(named.positions.tolist())
    assert np.array_equal(named.ids.ravel()[named.first], np.arange(len(named.first)))
    assert np.array_equal(named.first, named.positions * images + named.images)


@pytest.mark.parametrize(
    "frames", [played("Pong"), played("UpNDown"), flickering(36, 36), flickering(44, 52)]
)
def test_equal_numbers_are_equal_contents(frames):
    named = block_ids(frames)
    check(named, frames, 4, 4)
    for size, stride, step in LEVELS:
        named = window_ids(named, step)
        check(named, frames, size, stride)


def test_numbers_by_hand():
    frames = np.zeros((4, 36, 36, 4), np.uint8)
    frames[1, 0, 0, 0] = frames[3, 0, 0, 0] = 9
    frames[2, 4, 4, 3] = 9
    named = block_ids(frames)
    first, other = named.ids[0, 0], named.ids[1, 1]
    assert first[0] == first[2] != first[1] == first[3]
    assert other[0] == other[1] == other[3] != other[2]
    assert len(named.first) == 81 + 2
    assert named.changed.sum() == 81 + 3 + 2
    windows = window_ids(named, 1)
    assert windows.ids.shape == (8, 8, 4)
    assert len(set(windows.ids[0, 0].tolist())) == 3
    assert len(windows.first) == 64 + 1 + 4  # the pixel of the corner's block is in one window


def test_one_image_has_all_to_itself():
    named = block_ids(flickering(36, 40)[:1])
    assert np.array_equal(named.ids[:, :, 0].ravel(), np.arange(90))
    assert named.changed.all()


def test_the_order_of_images_changes_no_contents():
    frames = played("Breakout")
    backwards = block_ids(frames[::-1].copy())
    named = block_ids(frames)
    assert len(named.first) == len(backwards.first)
    assert np.array_equal(named.ids, backwards.ids[:, :, ::-1])


def test_contents_with_the_same_hash_are_not_taken_for_each_other(monkeypatch, caplog):
    caplog.set_level("INFO", "coordconv_rl.fast.patch_index")
    frames = flickering(36, 36)
    monkeypatch.setattr(patch_ids, "_hash", lambda words, count: np.zeros(count, np.uint64))
    with pytest.raises(patch_ids.Collision):
        block_ids(frames)
    assert PatchIndex(torch.from_numpy(frames), np.arange(8)).minibatch(np.arange(8)) is None
    assert "convolutions after the first 0 are plain: two contents" in caplog.text
    still = np.zeros_like(frames)
    assert len(block_ids(still).first) == 81


def test_the_hash_tells_what_differs_in_one_bit():
    words = [np.zeros(64 * 8, np.uint64) for _ in range(8)]
    for word in range(8):
        words[word][word * 64 : (word + 1) * 64] = np.uint64(1) << np.arange(64, dtype=np.uint64)
    hashes = patch_ids._hash(words, 512)
    for bits in (0, 16, 32):  # of any part of the hash, as far as 512 differ in 32 bits
        assert len(np.unique((hashes >> np.uint64(bits)).astype(np.uint32))) == 512
