"""A command for one folder after another in one process, so that torch is imported once.

Who starts it writes folders to its standard input, one JSON string a line, and reads an exit code
a line. What the command says goes to the log in the folder, as from a process of its own.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from coordconv_rl.cli.main import main
from coordconv_rl.errors import INTERRUPTED, OK
from coordconv_rl.files import open_regular
from coordconv_rl.runs import LOG_FILE


def serve_folders() -> int:
    """Serve the command whose words are in `sys.argv[1:]`, until there are no more folders."""
    words = sys.argv[1:]
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        for line in sys.stdin:
            code = _serve(words, Path(json.loads(line)))
            answers.write(f"{code}\n")
            answers.flush()
            if code == INTERRUPTED:
                return code
    return OK


def _serve(words: list[str], folder: Path) -> int:
    log = open_regular(folder / LOG_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    os.close(log)
    try:
        return main([*words, str(folder)])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
