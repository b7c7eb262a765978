from __future__ import annotations

import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.runs import read_inspection, write_inspection

SCORES = {name: {"mean": 2.0, "scores": [1.0, 3.0], "cut": 0} for name in
          ("trained", "zeroed", "permuted")}  # fmt: skip
RESULT = {"format": 1, "run": "r", "episodes": 2, "frame_cap": 18_000, "share": 0.25,
          "scores": SCORES}  # fmt: skip


def test_what_is_written_is_read(tmp_path):
    assert read_inspection(tmp_path) is None
    write_inspection(tmp_path, RESULT)
    found = read_inspection(tmp_path)
    assert found is not None
    assert found["scores"]["zeroed"]["mean"] == 2.0


@pytest.mark.parametrize(
    "changes",
    [
        {"share": 1.5}, {"share": -0.1}, {"share": True}, {"episodes": 0}, {"episodes": 2.0},
        {"frame_cap": "long"}, {"frame_cap": 0}, {"scores": []}, {"scores": {"trained": {}}},
        {"scores": SCORES | {"zeroed": {"mean": None}}},
        {"scores": SCORES | {"zeroed": {"mean": 2.0, "cut": -1}}},
    ],
)  # fmt: skip
def test_every_number_is_looked_at(tmp_path, changes):
    write_inspection(tmp_path, RESULT | changes)
    with pytest.raises(InputError, match=r"inspection\.json is damaged"):
        read_inspection(tmp_path)
