"""Images that are gathered only if looked at are a tensor like any other for whoever looks."""

from __future__ import annotations

import copy
import io
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from coordconv_rl.fast import LazyImages, Observations

IMAGES = torch.randint(256, (3, 4, 6, 5), dtype=torch.uint8)


def lazy(images: Tensor = IMAGES) -> tuple[LazyImages, list[int]]:
    gathered: list[int] = []

    def gather() -> Tensor:
        gathered.append(1)
        return images

    return LazyImages(Observations(images.shape, images.dtype, images.device), gather), gathered


def saved(x: Tensor) -> Tensor:
    file = io.BytesIO()
    torch.save(x, file)
    file.seek(0)
    return torch.load(file)


@torch.jit.script
def scripted(x: Tensor) -> Tensor:
    return x * 2


LOOKS: dict[str, Any] = {
    "arithmetic": lambda x: x.float() / 255,
    "one operand of two": lambda x: torch.ones_like(x) + x,
    "in a list": lambda x: torch.cat([x, x]),
    "by keyword": lambda x: torch.flip(input=x, dims=[0]),
    "a slice": lambda x: x[::2, 1],
    "a mask": lambda x: x[torch.tensor([True, False, True])],
    "NumPy": lambda x: torch.from_numpy(np.asarray(x)),
    "a method for NumPy": lambda x: torch.from_numpy(x.numpy().copy()),
    "a list": lambda x: torch.tensor(x.tolist()),
    "iteration": lambda x: torch.stack(list(x)),
    "a copy": copy.deepcopy,
    "a file": saved,
    "another device": lambda x: x.cpu(),
    "DLPack": torch.from_dlpack,
    "memory format": lambda x: x.contiguous(memory_format=torch.channels_last),
    "a module": lambda x: torch.nn.functional.max_pool2d(x.float(), 2),
    "an out argument": lambda x: torch.add(x, 1, out=torch.empty_like(IMAGES)),
    "a scripted function": scripted,
}


@pytest.mark.parametrize("name", LOOKS)
def test_whoever_looks_sees_the_images(name):
    images, gathered = lazy()
    assert isinstance(images, Tensor)
    assert not gathered
    found = LOOKS[name](images)
    assert type(found) is Tensor
    assert torch.equal(found, LOOKS[name](IMAGES))
    LOOKS[name](images)
    assert gathered == [1]


def test_properties_are_the_images_own():
    images, _ = lazy()
    assert images.shape == IMAGES.shape
    assert (images.dtype, images.device, images.dim()) == (torch.uint8, IMAGES.device, 4)
    assert (len(images), images.numel(), images.requires_grad) == (3, 360, False)
    assert repr(images) == repr(IMAGES)
    assert images.data_ptr() != IMAGES.data_ptr()


def test_what_is_written_stays_and_the_buffer_does_not_change():
    own = IMAGES.clone()
    images, _ = lazy(own)
    images[0] = 0
    images.bitwise_or_(1)
    torch.add(images, 0, out=images)
    expected = IMAGES.clone()
    expected[0] = 0
    assert torch.equal(images.clone(), expected | 1)
    assert torch.equal(own, IMAGES)


def test_code_in_c_that_looks_past_python_raises_and_does_not_crash():
    images, _ = lazy()
    assert torch.equal(torch.from_dlpack(images), IMAGES)
    if not hasattr(torch._C, "_set_throw_on_mutable_data_ptr"):
        pytest.skip("this torch cannot be told")
    with pytest.raises(RuntimeError, match="Cannot access data pointer"):
        torch.utils.dlpack.to_dlpack(images)
