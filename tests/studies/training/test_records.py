from __future__ import annotations

import dataclasses

import pytest
import torch
from small_study import SETTING, SMALL, never, stop_after, unit

from coordconv_rl.errors import InputError
from coordconv_rl.studies.training import records
from coordconv_rl.studies.training.records import Result
from coordconv_rl.studies.training.train import train_unit


@pytest.mark.parametrize("damage", ["truncated", "foreign", "setting"])
def test_a_bad_checkpoint_is_refused_in_one_line(tmp_path, damage):
    train_unit(unit(), SMALL, tmp_path, stop_after(1))
    path = tmp_path / "checkpoint.safetensors"
    wanted = unit()
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "foreign":
        wanted = unit(seed=1)
    else:
        wanted = unit(setting=dataclasses.replace(SETTING, epochs=9))
    with pytest.raises(InputError, match=r"checkpoint\.safetensors") as caught:
        train_unit(wanted, SMALL, tmp_path, never)
    assert "\n" not in str(caught.value)
    assert "delete" in str(caught.value)


def test_a_bad_result_is_refused_in_one_line(tmp_path):
    (tmp_path / "result.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match="delete its folder"):
        Result.read(tmp_path)


def test_damaged_pictures_are_named(tmp_path):
    assert records.load_drawn(tmp_path) is None
    records.save_drawn(tmp_path, {"canvases": torch.rand(2, 3)})
    path = tmp_path / "canvases.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match=r"canvases\.safetensors is damaged .*: delete ") as caught:
        records.load_drawn(tmp_path)
    assert "\n" not in str(caught.value)
