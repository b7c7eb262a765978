"""`python -m benchmarks.many_runs`: what the ledger, the results reader and the report cost.

Makes an experiment of 10,260 finished runs (57 games x 2 algorithms x 3 arms x 30 seeds; the files
that real runs leave, with made-up scores), then measures each step in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from benchmarks.output import header
from coordconv_rl.comparison import plan, results
from coordconv_rl.comparison.launch.ledger import Ledger
from coordconv_rl.comparison.report import write_report
from coordconv_rl.comparison.statistics import collect_scores
from coordconv_rl.configs import make_run_id
from coordconv_rl.envs.games import SUITES
from coordconv_rl.files import write_json_atomic

CHANGES = 1_000
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "helpers"))


@dataclass(frozen=True)
class Options:
    """Measure the reading of many finished runs.

    Attributes:
        games: How many games, 57 at most.
        seeds: How many seeds.
        json: A file for the results.
        step: Do one step only, on the folder given (what the command starts for itself).
        folder: That step's folder.
    """

    games: int = 57
    seeds: int = 30
    json: Path | None = None
    step: str | None = None
    folder: Path = Path()


def change_ledger(folder: Path) -> None:
    """Open the ledger as a launcher does, and change a thousand entries."""
    runs = [make_run_id(*key) for key in plan.run_keys(plan.read_experiment(folder))]
    with Ledger(folder, runs) as held:
        for i in range(CHANGES):
            held.update(runs[i % len(runs)], status="done", attempts=1)


def read_scores(folder: Path) -> None:
    """Read every run and collect the scores."""
    found = results.read_results(folder)
    for algo in found.experiment.algos:
        collect_scores(found, algo)


STEPS: dict[str, Callable[[Path], object]] = {
    f"ledger, {CHANGES:,} changes": change_ledger,
    "results": read_scores,
}
STEPS["report"] = write_report


def measure(step: str, folder: Path) -> dict[str, Any]:
    """Do one step and say its seconds of wall clock and processor, and the peak memory in MiB."""
    began, used = time.perf_counter(), time.process_time()
    STEPS[step](folder)
    wall, processor = time.perf_counter() - began, time.process_time() - used
    status = Path("/proc/self/status").read_text(encoding="ascii").split()
    peak = int(status[status.index("VmHWM:") + 1]) / 1024
    return {"step": step, "wall": wall, "processor": processor, "peak_mib": peak}


def measure_apart(step: str, folder: Path) -> dict[str, Any]:
    """Do `measure` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.many_runs", "--step", step, "--folder"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Run the command."""
    options = tyro.cli(Options)
    if options.step:
        print(json.dumps(measure(options.step, options.folder)))
        return 0
    from synthetic import make_experiment

    console = Console()
    with tempfile.TemporaryDirectory(prefix="many-runs-") as name, console.status("making runs"):
        experiment = make_experiment(
            Path(name),
            algos=("a2c", "ppo"),
            games=SUITES["atari-57"][: options.games],
            seeds=tuple(range(options.seeds)),
        )
        count = len(plan.run_keys(experiment))
        rows = [measure_apart(step, Path(name)) for step in STEPS]
    shown = Table("step", title=f"{count:,} finished runs", title_justify="left")
    for heading in ("seconds", "of processor", "peak MiB"):
        shown.add_column(heading, justify="right")
    for row in rows:
        numbers = (f"{row['wall']:.1f}", f"{row['processor']:.1f}", f"{row['peak_mib']:.0f}")
        shown.add_row(row["step"], *numbers)
    console.print(shown)
    if options.json:
        write_json_atomic(options.json, header({"runs": count}, 0) | {"steps": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
