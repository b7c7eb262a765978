"""An inspector's process that inspects nothing: it answers, refuses and dies as a test asks."""

from __future__ import annotations

PROGRAM = """
import json, os, sys, time
from pathlib import Path
games = int(sys.argv[1])


def inspect(folder):
    root = folder.parents[3]
    acts = json.loads((root / "acts.json").read_text())
    run = "/".join(folder.parts[-4:])
    with (root / "began").open("a") as file:
        file.write(f"{time.monotonic()} {os.getpid()} {run}\\n")
    while len((root / "began").read_text().splitlines()) < acts.get("together", 1):
        time.sleep(0.01)  # until so many go on at once
    time.sleep(acts.get("seconds", 0.3))
    if acts.get(run) == "refuse":
        (folder / "log.txt").write_text("error: no checkpoint here\\n")
        return 2
    if acts.get(run) == "die":
        os.kill(os.getpid(), 9)
    scores = {name: {"mean": 1.0} for name in ("trained", "zeroed", "permuted")}
    text = json.dumps({"run": run, "episodes": games, "share": 0.1, "scores": scores})
    (folder / "inspection.json").write_text(text)
    with (root / "ended").open("a") as file:
        file.write(f"{time.monotonic()}\\n")
    return 0


for line in sys.stdin:
    print(inspect(Path(json.loads(line))), flush=True)
"""
