from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.studies import StudyOptions


def test_options_refuse_what_makes_no_sense():
    for wrong in (
        {"seeds": 0},
        {"budget": 0.0},
        {"budget": float("nan")},
        {"threads": 0},
        {"split": "diagonal"},
    ):
        with pytest.raises(InputError, match=str(next(iter(wrong)))):
            StudyOptions(**wrong)


def test_names_and_options_need_no_torch():
    code = "import sys, coordconv_rl.studies as s; s.StudyOptions(); print('torch' in sys.modules)"
    path = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=path
    )
    assert done.stdout.strip() == "False", "importing the names loaded torch"
