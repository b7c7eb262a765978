"""`push` and `load` as typed."""

from __future__ import annotations

import pytest

from coordconv_rl.cli.main import main

pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["push", "run", "mine"], "write OWNER/NAME"),
        (["push", "run", "me/mine"], "run holds no run"),
        (["push", "run"], "OWNER/NAME is missing"),
        (["load", "mine", "run"], "write OWNER/NAME"),
        (["load", "me/mine", "."], "holds something already"),
        (["load", "me/mine"], "FOLDER is missing"),
    ],
)
def test_bad_input_is_one_line(words, said, capsys, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
