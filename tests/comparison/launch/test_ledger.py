"""The ledger: appended to, read meanwhile, damaged, on a full disk."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coordconv_rl.comparison.entries import read_ledger
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.errors import InputError
from coordconv_rl.runs import LEDGER_FILE


def test_the_ledger_keeps_the_last_change_of_each_run(tmp_path):
    with ledger.Ledger(tmp_path, ["a", "b"]) as held:
        held.update("a", status="running", attempts=1, host="here")
        held.update("a", status="failed", reason="it broke")
        assert read_ledger(tmp_path) == held.entries
    with ledger.Ledger(tmp_path, ["a", "b"]) as held:
        entry = held.entries["a"]
        assert (entry.status, entry.attempts, entry.reason) == ("failed", 1, "it broke")
        assert len((tmp_path / LEDGER_FILE).read_text().splitlines()) == 2  # folded


def test_a_half_written_last_line_is_no_damage(tmp_path):
    with ledger.Ledger(tmp_path, ["a"]) as held:
        held.update("a", status="running")
        with (tmp_path / LEDGER_FILE).open("a") as file:
            file.write('{"run": "a", "stat')
        assert read_ledger(tmp_path)["a"].status == "running"
    with ledger.Ledger(tmp_path, ["a"]) as held:
        assert held.lost == ("a",)
        assert read_ledger(tmp_path)["a"].status == "lost"


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b'{"run": 1}', b'{"run": "a", "status": "x"}', b'{"run": "a", "x": 1}', b"\xff"],
)
def test_a_damaged_ledger_is_named_with_its_line(tmp_path, line):
    path = tmp_path / LEDGER_FILE
    path.write_bytes(b'{"run": "a"}\n' + line + b"\n")
    with pytest.raises(InputError, match=r"ledger\.jsonl is damaged at line 2"):
        read_ledger(tmp_path)
    with pytest.raises(InputError, match="damaged at line 2"):
        ledger.Ledger(tmp_path, ["a"])
    assert path.read_bytes().endswith(line + b"\n")  # nothing lost
    path.write_bytes(b'{"run": "a"}\n')
    ledger.Ledger(tmp_path, ["a"]).__exit__(None, None, None)  # and the lock is free


def test_a_full_disk_leaves_the_ledger_whole(tmp_path):
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from coordconv_rl.comparison.launch import ledger\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "held = ledger.Ledger(Path(sys.argv[1]), ['a'])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    for count in range(100): held.update('a', attempts=count)\n"
        "except OSError as error: print(held.entries['a'].attempts)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    kept = int(ended.stdout)
    assert 0 < kept < 100
    assert read_ledger(tmp_path)["a"].attempts == kept
    assert (tmp_path / LEDGER_FILE).read_bytes().endswith(b"}\n")
