from __future__ import annotations

import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from coordconv_rl.agents.training.checkpoint import (
    Checkpoint,
    best_step,
    checkpoint_path,
    list_checkpoints,
    load_checkpoint,
    mark_best,
    prune,
    save_checkpoint,
)
from coordconv_rl.errors import InputError

TENSORS = {
    "a": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "scalar": torch.tensor(3.0),
    "half": torch.ones(3, dtype=torch.bfloat16),
    "empty": torch.zeros(0, 2),
    "last": torch.rand(2, 4, 3, 3).to(memory_format=torch.channels_last),
}
STATE = {"counters": {"num_timesteps": 7}, "pi": 3.141592653589793}


@pytest.fixture
def path(tmp_path):
    where = checkpoint_path(tmp_path, 7)
    save_checkpoint(where, Checkpoint(STATE, TENSORS))
    return where


def test_round_trip(path):
    found = load_checkpoint(path)
    assert found.state == STATE
    assert found.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(found.tensors[name], tensor)
        assert found.tensors[name].dtype == tensor.dtype


def refuse(path, message):
    with pytest.raises(InputError, match=message) as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_truncated(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    refuse(path, "damaged or no checkpoint")


def test_changed_tensor(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    refuse(path, "changed after it was written")


def test_changed_state(path):
    data = path.read_bytes()
    assert data.count(b'num_timesteps\\": 7') == 1
    path.write_bytes(data.replace(b'num_timesteps\\": 7', b'num_timesteps\\": 9'))
    refuse(path, "changed after it was written")


def test_foreign_safetensors(path):
    save_file({"a": torch.zeros(1)}, path)
    refuse(path, "no checkpoint of coordconv_rl")


def test_newer_version(path):
    metadata = {"format": "coordconv_rl-checkpoint", "version": "2", "state": "{}"}
    save_file({"a": torch.zeros(1)}, path, metadata)
    refuse(path, "version '2'")


def test_pickle_is_not_run(path, tmp_path):
    class Hostile:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    path.write_bytes(pickle.dumps(Hostile()))
    refuse(path, "damaged or no checkpoint")
    assert not (tmp_path / "ran").exists()


def test_tensor_of_absurd_size(path):
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}})
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode())
    refuse(path, "damaged or no checkpoint")


def test_missing(tmp_path):
    refuse(tmp_path / "none.safetensors", "no checkpoint")


def test_last_two_and_best_are_kept(tmp_path):
    for step in (10, 20, 30, 40):
        save_checkpoint(checkpoint_path(tmp_path, step), Checkpoint({}, {"a": torch.zeros(1)}))
    mark_best(tmp_path, 10, 1.5)
    prune(tmp_path, keep=2)
    kept = [checkpoint_path(tmp_path, step) for step in (40, 30, 10)]
    assert list_checkpoints(tmp_path) == kept
    assert best_step(tmp_path) == 10


def test_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        save_checkpoint(checkpoint_path(tmp_path, 1), Checkpoint({"x": float("nan")}, TENSORS))
    assert list_checkpoints(tmp_path) == []
