"""What each part compares: contests made from the options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

from benchmarks.contest import Contest
from benchmarks.quick import quick
from benchmarks.specs import (
    CLEANRL,
    GPU_ROLLOUT,
    PRESET_ENVS,
    ROLLOUT,
    STEPS,
    SUBPROC_MOST,
    Choice,
    env_spec,
    left_out,
    other_envs,
    other_trainings,
    process_spec,
    train_spec,
)


def environment_alone(choice: Choice) -> list[Contest]:
    """(a) Eight environments with random actions, in one process and in several."""
    found = []
    for game in choice.games:
        ours = {"ours": env_spec("ours", game, 8)}
        stock = {"SB3 DummyVecEnv": env_spec("dummy", game, 8)}
        title = f"{game}, 8 environments, one process"
        others = other_envs(game, 1)
        found.append(Contest("a", title, STEPS, tuple(stock), ours | stock | others))
        counts = _workers(choice, 8) or [0]
        ours = {f"ours, workers={n}": env_spec("ours", game, 8, n) for n in counts}
        stock = {"SB3 SubprocVecEnv": env_spec("subproc", game, 8)}
        title = f"{game}, 8 environments, processes"
        others = other_envs(game, choice.cores)
        found.append(Contest("a", title, STEPS, tuple(stock), ours | stock | others))
    return found


def _workers(choice: Choice, n_envs: int) -> list[int]:
    """Return numbers of workers: 2, 4, 8 ... and the number of cores; 1 is no other than 0."""
    powers = {2**i for i in range(1, choice.cores.bit_length())} | {choice.cores}
    return sorted(n for n in powers if 1 < n <= min(n_envs, choice.cores))


def one_run(choice: Choice) -> list[Contest]:
    """(b) One training run, on one thread and on all cores."""
    found = [_training(choice, algo, threads) for algo in choice.algos for threads in (1, 0)]
    if choice.agent:
        return [
            with_agent
            for contest in found
            for with_agent in (contest, _trained(contest, choice.agent))
        ]
    found.append(_commands(choice, "b", 1))
    return found


def _trained(contest: Contest, agent: str) -> Contest:
    """Return the contest with every contestant playing and training as the agent."""
    specs = {name: spec | {"agent": agent} for name, spec in contest.contestants.items()}
    return replace(contest, title=f"{contest.title}, a trained agent", contestants=specs)


def _training(choice: Choice, algo: str, threads: int) -> Contest:
    """Compare trainings on one thread, or (0) on all cores."""
    count = threads or choice.cores
    ours = {
        f"ours, {arm}, {precision}": train_spec(
            "ours", choice, algo, arm=arm, precision=precision, threads=count
        )
        for arm in choice.arms
        for precision in choice.precisions
    }
    others = {} if choice.agent else other_trainings(choice, algo, threads=count)
    if choice.agent and algo == "ppo":
        ours |= {f"{name}, no FastPPO": spec | {"plain": True} for name, spec in ours.items()}
    stock = {"SB3 DummyVecEnv": train_spec("dummy", choice, algo, threads=count)}
    if not threads:
        arm, workers = choice.arms[-1], min(choice.cores, PRESET_ENVS[algo])
        for precision in choice.precisions:
            ours[f"ours, {arm}, {precision}, workers={workers}"] = train_spec(
                "ours", choice, algo, arm=arm, precision=precision, threads=count, workers=workers
            )
        stock["SB3 SubprocVecEnv"] = train_spec("subproc", choice, algo, threads=count)
    where = "one thread" if threads else f"all {count} cores"
    title = f"{algo.upper()} on {choice.games[0]}, {PRESET_ENVS[algo]} environments, {where}"
    return Contest("b", title, STEPS, tuple(stock), ours | stock | others)


def _commands(choice: Choice, part: str, runs: int) -> Contest:
    """Compare real commands, one run or several at once; sums of steps a second."""
    cores, ours, zoo = choice.cores, {}, {}
    for precision in choice.precisions:
        ours[f"coordconv_rl, {precision}"] = process_spec("ours", choice, runs, precision=precision)
    if runs == 1 and cores > 1:
        name = f"coordconv_rl, {choice.precisions[0]}, threads={cores}, workers={min(cores, 8)}"
        ours[name] = process_spec(
            "ours", choice, runs, precision=choice.precisions[0], threads=cores,
            workers=min(cores, 8),
        )  # fmt: skip
    if "RL Zoo" not in left_out():
        zoo["RL Zoo, its defaults"] = process_spec("zoo-dummy", choice, runs, threads=None)
        zoo["RL Zoo, one thread"] = process_spec("zoo-dummy", choice, runs)
        if runs == 1:
            zoo["RL Zoo, subproc"] = process_spec("zoo-subproc", choice, runs, threads=None)
    title = f"PPO on {choice.games[0]}: {runs} training command(s) at once, all steps together"
    return Contest(part, title, STEPS, tuple(zoo), ours | zoo)


def two_runs(choice: Choice) -> list[Contest]:
    """(c) Two real training commands at once."""
    return [_commands(choice, "c", 2)]


def layers(choice: Choice) -> list[Contest]:
    """(d) One forward and backward pass of 256 images; see `layers.py`."""
    found = []
    for precision in (*choice.precisions, "stock"):
        spec = {"kind": "layers", "precision": precision, "device": choice.device}
        name = "stock CnnPolicy, float32" if precision == "stock" else f"our policy, {precision}"
        title = f"Forward and backward, {choice.device}, {name}"
        contestants = {name: spec | {"threads": 1, "batch": 256}}
        found.append(Contest("d", title, "ms", ("cnn",), contestants, higher_is_better=False))
    return found


def peak_memory(choice: Choice) -> list[Contest]:
    """(e) Peak memory of one PPO run with its children, from start over some iterations."""
    memory = {"kind": "memory"}
    ours = {
        f"ours, {precision}": train_spec("ours", choice, precision=precision) | memory
        for precision in choice.precisions
    }
    workers = min(choice.cores, 8)
    ours[f"ours, workers={workers}"] = train_spec("ours", choice, workers=workers) | memory
    stock = {
        "SB3 DummyVecEnv": train_spec("dummy", choice) | memory,
        "SB3 SubprocVecEnv": train_spec("subproc", choice) | memory,
    }
    others = other_trainings(choice, "ppo")
    others.pop(CLEANRL, None)  # it would count the worker that starts it, too
    others = {name: spec | memory for name, spec in others.items()}
    title = f"Peak memory, PPO on {choice.games[0]}, 8 environments"
    everyone = ours | stock | others
    return [Contest("e", title, "MiB", tuple(stock), everyone, higher_is_better=False)]


def scaling(choice: Choice) -> list[Contest]:
    """(f) Environments alone and PPO, with more environments and workers."""
    found, game = [], choice.games[0]
    for n in choice.envs:
        counts = [0, *_workers(choice, n)]
        ours = {f"ours, workers={w}": env_spec("ours", game, n, w) for w in counts}
        stock = {"SB3 DummyVecEnv": env_spec("dummy", game, n)}
        if n <= SUBPROC_MOST:
            stock["SB3 SubprocVecEnv"] = env_spec("subproc", game, n)
        title = f"{game}, {n} environments alone"
        found.append(Contest("f", title, STEPS, tuple(stock), ours | stock))
        sizes = {"n_envs": n, "n_steps": max(1, ROLLOUT["ppo"] // n)}
        changes: dict[str, Any] = {"overrides": sizes, "threads": choice.cores}
        ours = {
            f"ours, workers={w}": train_spec("ours", choice, workers=w, **changes) for w in counts
        }
        stock = {"SB3 DummyVecEnv": train_spec("dummy", choice, **changes)}
        title = f"PPO on {game}, {n} environments, {choice.cores} threads"
        found.append(Contest("f", title, STEPS, tuple(stock), ours | stock))
    return found


def gpu(choice: Choice) -> list[Contest]:
    """(g) PPO and A2C on the GPU with more and more environments; PPO in the preset's minibatches.

    A rollout of PPO has at most `GPU_ROLLOUT` steps, so that an iteration stays short.
    """
    found = []
    for algo, n in product(choice.algos, choice.envs):
        sizes = {"n_envs": n}
        if algo == "ppo":
            steps = min(128, max(1, GPU_ROLLOUT // n))
            sizes |= {"n_steps": steps, "batch_size": n * steps // 4}
        changes: dict[str, Any] = {"overrides": sizes, "device": "cuda", "threads": choice.cores}
        workers = min(n, choice.cores)
        ours = {
            f"ours, {precision}, workers={workers}": train_spec(
                "ours", choice, algo, precision=precision, workers=workers, **changes
            )
            for precision in choice.precisions
        }
        stock = {"SB3 DummyVecEnv": train_spec("dummy", choice, algo, **changes)}
        if n <= SUBPROC_MOST:
            stock["SB3 SubprocVecEnv"] = train_spec("subproc", choice, algo, **changes)
        title = f"{algo.upper()} on {choice.games[0]} on the GPU, {n} environments"
        everyone = ours | stock | other_trainings(choice, algo, **changes)
        found.append(Contest("g", title, STEPS, tuple(stock), everyone))
    return found


PARTS: dict[str, Callable[[Choice], list[Contest]]] = {
    "a": environment_alone,
    "b": one_run,
    "c": two_runs,
    "d": layers,
    "e": peak_memory,
    "f": scaling,
    "g": gpu,
    "q": quick,
}
