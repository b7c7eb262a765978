"""A process that holds one subject and measures it when asked, by JSON lines.

The argument is the specification; each input line holds `{"seconds": S}` and each output line
`{"value": V}`. The first output line says that the subject is warm.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import ale_py  # noqa: F401  (registers the games here and in SubprocVecEnv's processes)


def make_subject(spec: dict[str, Any]) -> Any:
    """Return the subject of a specification, ready and warm."""
    if spec["kind"] == "train" and spec["maker"] == "cleanrl":
        from benchmarks.cleanrl import CleanRL

        return CleanRL(spec)
    from benchmarks.subjects import make_stepping, make_training, use_threads

    use_threads(spec["threads"])
    if spec["kind"] == "layers":
        from benchmarks.layers import Layers

        return Layers(spec)
    return make_stepping(spec) if spec["kind"] == "env" else make_training(spec)


def main() -> None:
    """Serve until the input ends."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not be taken for a reply
    subject = make_subject(json.loads(sys.argv[1]))
    replies.write('{"ready": true}\n')
    for line in sys.stdin:
        value = subject.measure(json.loads(line)["seconds"])
        replies.write(json.dumps({"value": value}) + "\n")
    subject.close()


if __name__ == "__main__":
    main()
