"""What is measured, as data: specifications that a worker makes its subject from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from benchmarks.contest import Spec

STEPS = "steps/s"
SB3, ALE, CLEANRL = "SB3 DummyVecEnv", "AtariVectorEnv", "CleanRL on EnvPool"  # contestants' names
SUBPROC_MOST = 64  # processes of SubprocVecEnv: more need more memory than most machines have
GPU_ROLLOUT = 16_384  # environment steps in one rollout at most, so an iteration stays short
ROLLOUT = {"ppo": 8 * 128, "a2c": 16 * 5}  # environment steps of the presets
PRESET_ENVS = {"ppo": 8, "a2c": 16}
INSTALL = "`make bench` installs it where it can be had"


@dataclass(frozen=True)
class Choice:
    """What the parts depend on.

    Attributes:
        cores: Cores that the processes may use.
        games: Games; parts other than the environment's take the first.
        envs: Numbers of environments to scale over.
        device: "cpu" or "cuda".
        arms: Arms to train.
        precisions: Arithmetics to train in.
        algos: Algorithms of part b.
        agent: A run's folder, for part b to train on from, beside training from nothing.
    """

    cores: int
    games: tuple[str, ...]
    envs: tuple[int, ...]
    device: str
    arms: tuple[str, ...]
    precisions: tuple[str, ...]
    algos: tuple[str, ...] = ("ppo", "a2c")
    agent: str = ""


def env_spec(maker: str, game: str, n_envs: int, workers: int = 0, emulating: int = 1) -> Spec:
    """Specify environments: `maker` is ours, dummy, subproc, ale or envpool.

    Ours play in `workers` processes, those of ale_py and EnvPool on `emulating` threads.
    """
    shape = {"game": game, "n_envs": n_envs, "workers": workers, "emulating": emulating}
    return {"kind": "env", "maker": maker, "threads": 1, **shape}


def train_spec(maker: str, choice: Choice, algo: str = "ppo", **changes: Any) -> Spec:
    """Specify a training in a worker: `maker` is ours, dummy, subproc, ale or cleanrl."""
    defaults = {"arm": "coordconv", "precision": "auto", "workers": 0, "overrides": {}}
    shared = {"game": choice.games[0], "threads": 1, "device": "cpu", "agent": "", "plain": False}
    return {"kind": "train", "maker": maker, "algo": algo, **defaults, **shared, **changes}


def process_spec(maker: str, choice: Choice, runs: int, **changes: Any) -> Spec:
    """Specify real training commands: `maker` is ours, zoo-dummy or zoo-subproc."""
    defaults = {"algo": "ppo", "arm": "coordconv", "precision": "auto", "workers": 0, "threads": 1}
    shared = {"game": choice.games[0], "rollout": ROLLOUT["ppo"], "runs": runs}
    return {"kind": "processes", "maker": maker, **defaults, **shared, **changes}


def left_out() -> dict[str, str]:
    """Return who cannot be measured here, with the reason."""
    reasons = {
        "RL Zoo": _missing("rl_zoo3"),
        "EnvPool": _missing("envpool"),
        "CleanRL": _missing("envpool") or _missing("gym") or _missing("cleanrl"),
    }
    return {name: f"{what} is not installed: {INSTALL}" for name, what in reasons.items() if what}


def _missing(name: str) -> str:
    return "" if find_spec(name) else name


def other_envs(game: str, threads: int) -> dict[str, Spec]:
    """Specify the environments that are not SB3's, eight of them on so many threads."""
    found = {ALE: env_spec("ale", game, 8, emulating=threads)}
    if "EnvPool" not in left_out():
        found["EnvPool"] = env_spec("envpool", game, 8, emulating=threads)
    return found


def other_trainings(choice: Choice, algo: str, **changes: Any) -> dict[str, Spec]:
    """Specify who else trains: stock SB3 on ale_py's environments, and CleanRL for PPO."""
    found = {f"SB3 on {ALE}": train_spec("ale", choice, algo, **changes)}
    if algo == "ppo" and "CleanRL" not in left_out():
        found[CLEANRL] = train_spec("cleanrl", choice, algo, **changes)
    return found
