"""A run's worker that trains nothing: it keeps a run's files and dies as a test asks."""

from __future__ import annotations

import json
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import forked
import pytest
from waiting import wait_for

from coordconv_rl.comparison.entries import Entry, read_ledger
from coordconv_rl.comparison.launch import compare as launch
from coordconv_rl.comparison.launch.compare import LaunchOptions
from coordconv_rl.comparison.launch.local import LocalBackend
from coordconv_rl.configs.schema import Evaluation, ExperimentConfig

WORKER = """
import json, os, signal, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
if len(folder.parents) < 4:
    sys.exit(1)  # a folder to measure speed in: it has no plan
plan = json.loads((folder.parents[3] / "plan.json").read_text())
run = "/".join(folder.parts[-4:])
acts = plan.get(run, {})
lines = (folder / "config.yaml").read_text().splitlines()
steps = int(next(line for line in lines if line.startswith("steps:")).split()[1])
state = folder / "checkpoint"
step = int(state.read_text()) if state.is_file() else 0
attempt = int((folder / "attempts").read_text()) + 1 if (folder / "attempts").is_file() else 1
(folder / "attempts").write_text(str(attempt))
(folder / "project").write_text(os.environ.get("COORDCONV_WANDB", "none"))
(folder / "episodes.csv").write_text("step,score,frames,life_loss\\n")
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))

def record(status, reason=None):
    values = {"format": 1, "run": run, "status": status, "reason": reason, "step": step,
              "steps": steps, "steps_per_second": 50.0, "recent_score": 1.0, "updated": time.time(),
              "pid": os.getpid()}
    (folder / "new").write_text(json.dumps(values))
    os.replace(folder / "new", folder / "run.json")

def leave(code, status, reason=None):
    save()
    record(status, reason)
    sys.exit(code)

def save():
    (folder / "newer").write_text(str(step))
    os.replace(folder / "newer", state)

while step < steps:
    save()
    record("running")
    if asked:
        leave(130, "interrupted")
    if os.getppid() != int(os.environ["COORDCONV_PARENT_PID"]):
        leave(130, "interrupted", "its launcher is gone")
    if step >= 50 and "gate" in plan and not (folder.parents[3] / plan["gate"]).exists():
        time.sleep(0.01)
        continue
    act = acts.get(str(attempt)) if step >= 50 else None
    if act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if act == "hang":
        time.sleep(60)
    if act == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if act == "memory":
        leave(1, "failed", "MemoryError: out of memory")
    if act == "nan":
        leave(1, "failed", "Diverged: the weights are not finite")
    if act == "full":
        leave(74, "failed", "OSError: [Errno 28] No space left on device")
    if act == "input":
        leave(2, "failed", "bad input")
    if act == "vanish":
        sys.exit(0)
    step += 10
    with (folder / "episodes.csv").open("a") as file:
        score = sum(run.encode()) % 37 + step / 10 if plan.get("varied") else 1
        file.write(f"{step},{score},400,1\\n")
    time.sleep(plan.get("pace", 0.005))
leave(0, "done")
"""
HERE = Path(__file__).parent
RUNS = [f"ppo/Pong/{arm}/seed-{seed}" for seed in (0, 1) for arm in ("cnn", "coordconv")]


def experiment(**changes: object) -> ExperimentConfig:
    values = {
        "name": "trial",
        "description": "A trial.",
        "algos": ("ppo",),
        "games": ("Pong",),
        "arms": ("cnn", "coordconv"),
        "seeds": (0, 1),
        "steps": 100,
        "evaluation": Evaluation(episodes=0),
    }
    return ExperimentConfig(**(values | changes))


def use_light_workers(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the launcher start light workers; their program is put into a folder."""
    (where / "worker.py").write_text(WORKER)
    program = (sys.executable, str(where / "worker.py"))
    monkeypatch.setattr(launch, "LocalBackend", lambda: LocalBackend(program))
    monkeypatch.setattr(launch, "TICK_SECONDS", 0.02)


def start(folder: Path, acts: object = None, jobs: int = 2, **options: object) -> int:
    return run_experiment(experiment(), folder, acts, jobs, **options)


def run_experiment(
    asked: ExperimentConfig,
    folder: Path,
    acts: object = None,
    jobs: int = 2,
    **options: object,
) -> int:
    folder.mkdir(exist_ok=True)
    (folder / "plan.json").write_text(json.dumps(acts or {}))
    return launch.run_comparison(asked, folder, jobs=jobs, options=LaunchOptions(**options))


def entry(folder: Path, run: str) -> Entry:
    return read_ledger(folder)[run]


def attempts(folder: Path, run: str) -> int:
    return int((folder / run / "attempts").read_text())


def launch_here(folder: Path) -> None:
    """Be a launcher; for a process of its own."""
    program = (sys.executable, str(folder.parent / "worker.py"))
    launch.LocalBackend = lambda: LocalBackend(program)  # type: ignore[misc, assignment]
    sys.exit(launch.run_comparison(experiment(), folder, jobs=2, options=LaunchOptions()))


def launcher(folder: Path, said: Path) -> BaseProcess:
    """Start a launcher in a process of its own, and wait until two runs go on that do not end."""
    (folder / "plan.json").write_text(json.dumps({"pace": 0.5, "gate": "never opened"}))
    process = forked.call(launch_here, folder, folder=folder, said=(said, said))
    wait_for(lambda: all(_goes_on(folder, run) for run in RUNS[:2]), while_alive=process.is_alive)
    return process


def _goes_on(folder: Path, run: str) -> bool:
    """Say whether the worker of the ledger's entry has written its first record."""
    known, record = read_ledger(folder).get(run), folder / run / "run.json"
    if known is None or known.status != "running" or not record.is_file():
        return False
    said = json.loads(record.read_text())
    return (said["status"], said["pid"]) == ("running", known.pid)
