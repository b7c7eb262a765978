from __future__ import annotations

import json
import os

import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.runs import NotWhole, check_integer, check_real, read_json, write_sealed
from coordconv_rl.runs.reading import LARGEST_INTEGER


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "[" * 100_000, '{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}',
        '{"a": -1e999}', '{"a": 1e300}', '{"a": [[[1e999]]]}', f'{{"a": {10**400}}}',
        f'{{"a": {2**63}}}', '{"a": ' + "9" * 5000 + "}", '{"b": 1}', "\ufeff{}",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_line(tmp_path, text):
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"run\.json is damaged") as caught:
        read_json(path, ("a",))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_file_of_a_newer_format_says_so(tmp_path):
    (tmp_path / "a").write_text('{"format": 2}')
    with pytest.raises(InputError, match="has format 2: a newer coordconv_rl wrote it"):
        read_json(tmp_path / "a", ())


@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_only_a_regular_file_is_read(tmp_path, kind):
    path = tmp_path / "run.json"
    (tmp_path / "other").write_text("{}")
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}.get(
        kind, lambda: path.symlink_to(tmp_path / "other")
    )()
    with pytest.raises(InputError, match=r"run\.json is damaged"):
        read_json(path, ())


def test_a_sealed_file_that_was_changed_is_not_whole(tmp_path):
    path = tmp_path / "a.json"
    values = {"x": 1, "y": 0.1, "z": {"text": "ä", "list": [1.0, None, True]}}
    write_sealed(path, values)
    found = read_json(path, ("x",))
    assert found is not None
    assert {key: found[key] for key in values} == values
    path.write_text(path.read_text().replace('"x": 1', '"x": 2'))
    with pytest.raises(NotWhole, match="was changed after it was written"):
        read_json(path, ())
    del found["sha256"]  # version 0.1.0 wrote none
    path.write_text(json.dumps(found | {"x": 2}))
    assert (read_json(path, ()) or {})["x"] == 2


@pytest.mark.parametrize("value", [True, 1.0, "1", None, -1, LARGEST_INTEGER + 1])
def test_whole_numbers(tmp_path, value):
    with pytest.raises(InputError, match="its step is"):
        check_integer(tmp_path, "its step", value)
    assert check_integer(tmp_path, "its step", 0) == 0


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), 1e16, 10**400])
def test_real_numbers(tmp_path, value):
    with pytest.raises(InputError, match="its score is"):
        check_real(tmp_path, "its score", value)
    assert check_real(tmp_path, "its score", -3) == -3.0
