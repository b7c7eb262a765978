from __future__ import annotations

import gc
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from envs_reference import assert_same_steps
from open_games import atari
from stable_baselines3 import A2C
from waiting import is_alive, wait_for

from coordconv_rl import CoordConvExtractor, CoordConvPolicy, DeviceRolloutBuffer, FastA2C
from coordconv_rl.envs.atari import AtariVecEnv

NO_GUARD = """
import os
from coordconv_rl.envs.atari import AtariVecEnv

child = os.fork()
env = AtariVecEnv("Pong", 3, workers=3)
pids = " ".join(str(worker.process.pid) for worker in env._group._workers)
os.write(1, f"{pids}\\n".encode())  # in one piece: both write
if not child:
    os.kill(os.getpid(), 9)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
raise ValueError("on purpose")
"""


def pids(env: AtariVecEnv) -> list[int]:
    return [worker.process.pid for worker in getattr(env._group, "_workers", [])]


def wait_gone(processes: list[int]) -> None:
    wait_for(lambda: not any(map(is_alive, processes)))


def shared_memory() -> set[str]:
    """Name what is shared by name; semaphores are of the process pools of tests beside this."""
    return {name for name in os.listdir("/dev/shm") if not name.startswith("sem.")}


def test_results_do_not_depend_on_workers() -> None:
    alone, split = atari("Breakout", 3, seed=1), atari("Breakout", 3, seed=1, workers=2)
    seen = assert_same_steps(alone, split, 150, rng=np.random.default_rng(0), resets=(0, 99))
    assert seen["episodes"] >= 3
    for one, other in zip(alone.get_images(), split.get_images(), strict=True):
        np.testing.assert_array_equal(one, other)
    split.close()


@pytest.mark.parametrize("workers", [0, 1, 3, 5])
def test_this_process_is_one_of_the_workers(workers: int) -> None:
    env = atari("Pong", 5, workers=workers)
    assert len(pids(env)) == max(workers, 1) - 1
    if workers == 3:
        shares = [range(one.start, one.stop) for one in env._group._members]  # type: ignore[union-attr]
        assert shares == [range(1), range(1, 3), range(3, 5)]
    env.close()


def test_workers_import_neither_torch_nor_sb3() -> None:
    code = (
        "import sys, coordconv_rl.envs.workers.worker; "
        "print([m for m in ('torch', 'stable_baselines3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_the_whole_group_are_the_parents_to_handle(number: int) -> None:
    env = atari("Pong", 2, workers=2)
    env.reset()
    for process in pids(env):
        os.kill(process, number)
    env.step(np.zeros(2, int))
    env.close()
    wait_gone(pids(env))


def test_a_dead_worker_is_named() -> None:
    env = atari("Pong", 6, workers=3)
    env.reset()
    processes = pids(env)
    os.kill(processes[0], signal.SIGKILL)
    wait_gone(processes[:1])
    with pytest.raises(RuntimeError, match=r"worker 1 \(environments 2 to 3\) died.*-9"):
        env.step(np.zeros(6, int))
    env.close()
    env.close()
    wait_gone(processes)


@pytest.mark.parametrize("index", [0, 1])
def test_a_failing_worker_raises_and_the_others_go_on(index: int) -> None:
    env = atari("Pong", 2, workers=2)
    env.reset()
    with pytest.raises(AttributeError, match="nonsense"):
        env.get_attr("nonsense")
    actions = np.array([1, 1])
    actions[index] = 99
    env._group.start(actions)  # the environment itself would refuse it
    with pytest.raises(IndexError):
        env.step_wait()
    assert env.step(np.array([1, 1]))[0].shape == (2, 4, 84, 84)
    env.close()


def test_nothing_stays_behind() -> None:
    before = shared_memory()
    env = atari("Pong", 2, workers=2)
    env.reset()
    processes = pids(env)
    env.step_async(np.zeros(2, int))
    env.close()
    wait_gone(processes)
    with pytest.raises(RuntimeError, match="closed"):
        env.reset()

    env = AtariVecEnv("Pong", 2, workers=2)
    processes = pids(env)
    del env
    gc.collect()
    wait_gone(processes)
    assert shared_memory() == before


def test_workers_leave_with_their_parent(tmp_path: Path) -> None:
    """One that is killed and one that raises; the script needs no `if __name__ == "__main__"`."""
    script = tmp_path / "script.py"
    script.write_text(NO_GUARD)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    processes = [int(pid) for pid in done.stdout.split()]
    assert len(processes) == 4
    assert done.returncode == 1
    assert "on purpose" in done.stderr
    wait_gone(processes)


def test_a_reset_cancels_a_pending_step() -> None:
    env = atari("Pong", 2, workers=2)
    env.reset()
    env.step_async(np.zeros(2, int))
    assert env.reset().shape == (2, 4, 84, 84)
    assert env.step(np.zeros(2, int))[0].shape == (2, 4, 84, 84)
    env.close()


BEGIN = """
import io, os, signal, sys, threading
import numpy as np
import torch
from stable_baselines3 import A2C
from stable_baselines3.common.utils import set_random_seed
from coordconv_rl import AtariVecEnv, CoordConvPolicy, DeviceRolloutBuffer, FastA2C

signal.signal(signal.SIGINT, signal.default_int_handler)
torch.set_num_threads(1)
env = AtariVecEnv("Breakout", 4, seed=3, workers=2)
alone = AtariVecEnv("Breakout", 4, seed=99)
rng = np.random.default_rng(1)

def interrupted(shortest, longest, work):
    seconds = rng.uniform(shortest, longest)
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        while True:  # as the cell of a notebook, which is interrupted and run again
            work()
    except KeyboardInterrupt:
        timer.join()
"""


STEPS = """
model = A2C("CnnPolicy", env, n_steps=5, seed=0, device="cpu")
model.learn(5)  # torch's RMSprop makes its state bit by bit: Ctrl-C there would leave half of it
for attempt in range(8):
    if attempt % 2:
        interrupted(0.02, 0.2, lambda: env.step(rng.integers(4, size=4)))
    else:
        interrupted(0.02, 0.2, lambda: model.learn(10**6, reset_num_timesteps=attempt % 4 == 0))
    if attempt % 3 == 0:
        env.reset()
    np.testing.assert_array_equal(env.restore(state := env.snapshot()), alone.restore(state))
    for _ in range(12):
        actions = rng.integers(4, size=4)
        for ours, wanted in zip(env.step(actions)[:3], alone.step(actions)[:3], strict=True):
            np.testing.assert_array_equal(ours, wanted)
    assert model.learn(20).num_timesteps == 20
print("steps", flush=True)
"""


LEARNS_AGAIN = """
settings = {"seed": 0, "device": "cpu", "rollout_buffer_class": DeviceRolloutBuffer}
model = FastA2C(CoordConvPolicy, env, **settings)
model.learn(5)  # as above
for attempt in range(4):
    interrupted(0.01, 0.2, lambda: model.learn(10**6, reset_num_timesteps=attempt % 2 == 0))
    file = io.BytesIO()
    model.save(file)
    twin = FastA2C.load(file, env=alone, device="cpu")
    alone.restore(env.snapshot())  # behind `load`, which seeds the environments' next reset
    for one in (model, twin):
        set_random_seed(attempt)
        assert one.learn(20).num_timesteps == 20
    found, wanted = model.policy.state_dict(), twin.policy.state_dict()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted), attempt
    np.testing.assert_array_equal(model._last_obs, twin._last_obs)
print("learns")
env.close()
"""


def test_an_interrupted_pool_goes_on_as_fresh() -> None:
    """Ctrl-C at random moments of `learn` and `step`, then more of both, against one process."""
    script = BEGIN + STEPS + LEARNS_AGAIN
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "steps\nlearns\n"


def interrupt(owner: Any, name: str, call: int, *, before: bool) -> Callable[[], None]:
    """Let a method raise what Ctrl-C does, in one of its calls; return how to undo that."""
    method, calls = getattr(owner, name), itertools.count(1)

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        now = next(calls) == call
        if now and before:
            raise KeyboardInterrupt
        result = method(*args, **kwargs)
        if now:
            raise KeyboardInterrupt
        return result

    setattr(owner, name, interrupted)
    return lambda: delattr(owner, name)


MOMENTS: dict[str, tuple[Callable[[Any], Any], str, int, bool]] = {
    "before a step": (lambda model: model.env, "step_async", 8, True),
    "behind a step": (lambda model: model.env, "step_wait", 8, False),
    "behind a backward pass": (lambda model: model.policy.optimizer, "step", 2, True),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupted_training_goes_on_as_one_in_a_single_process(moment: str) -> None:
    """FastA2C on a pool, FastA2C alone, and stock A2C alone, stopped at the same moment."""
    torch.set_num_threads(1)
    exact = {"precision": "float32"}
    ours = {"policy_kwargs": exact, "rollout_buffer_class": DeviceRolloutBuffer}
    theirs = {"policy_kwargs": {"features_extractor_class": CoordConvExtractor, "net_arch": []}}
    kinds = [(FastA2C, CoordConvPolicy, ours)] * 2 + [(A2C, "CnnPolicy", theirs)]
    found = []
    for workers, (algorithm, policy, settings) in zip((2, 0, 0), kinds, strict=True):
        env = atari("Breakout", 2, seed=3, workers=workers)
        model: Any = algorithm(policy, env, seed=0, device="cpu", **settings)  # type: ignore[arg-type]
        owner, name, call, before = MOMENTS[moment]
        undo = interrupt(owner(model), name, call, before=before)
        with pytest.raises(KeyboardInterrupt):
            model.learn(10**6)
        undo()
        steps = [model.num_timesteps]
        for afresh in (False, True):
            model.learn(10, reset_num_timesteps=afresh)
            steps.append(model.num_timesteps)
        found.append((steps, model._last_obs, model.policy.state_dict()))
        env.close()
    pool, alone, stock = found
    torch.testing.assert_close(pool, alone, rtol=0, atol=0)
    assert alone[0] == stock[0]
    torch.testing.assert_close(alone[2], stock[2], rtol=0, atol=5e-5)  # of updates of 7e-4


@pytest.mark.parametrize("entry", [Path, os.fsencode])
def test_paths_and_bytes_on_the_import_path(entry, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(sys, "path", [entry(tmp_path), *sys.path])
    env = atari("Pong", 2, workers=2)
    assert env.reset().shape == (2, 4, 84, 84)
    env.close()


def test_workers_import_nothing_from_the_working_folder(monkeypatch, tmp_path) -> None:
    for name in ("json", "queue", "inspect", "pickle", "numpy", "cv2"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('from the working folder')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path, str(tmp_path)])
    env = atari("Pong", 2, workers=2)
    assert env.reset().shape == (2, 4, 84, 84)
    env.close()


def test_a_question_beside_a_step_leaves_its_result() -> None:
    alone, split = atari("Pong", 2, seed=1), atari("Pong", 2, seed=1, workers=2)
    for env in (alone, split):
        env.reset()
    split.step_async(np.array([2, 3]))
    assert split.get_attr("lives") == [0, 0]
    for ours, wanted in zip(split.step_wait()[:3], alone.step(np.array([2, 3]))[:3], strict=True):
        np.testing.assert_array_equal(ours, wanted)
    split.step_async(np.array([2, 3]))
    split.get_attr("lives")
    split.reset()  # cancels the step, as in SB3
    alone.step(np.array([2, 3]))
    alone.reset()
    np.testing.assert_array_equal(split.step(np.array([3, 2]))[0], alone.step(np.array([3, 2]))[0])
    split.close()


def test_what_is_closed_steps_no_game_of_others() -> None:
    for workers in (0, 2):
        env = atari("Pong", 2, workers=workers)
        env.reset()
        env.close()
        with pytest.raises(RuntimeError, match="the environment is closed"):
            env.step(np.zeros(2, int))


def test_a_step_that_is_begun_twice_is_played_twice() -> None:
    alone, split = atari("Pong", 2, seed=1), atari("Pong", 2, seed=1, workers=2)
    for env in (alone, split):
        env.reset()
    alone.step(np.array([2, 3]))
    split.step_async(np.array([2, 3]))
    for ours, wanted in zip(
        split.step(np.array([3, 2]))[:3], alone.step(np.array([3, 2]))[:3], strict=True
    ):
        np.testing.assert_array_equal(ours, wanted)
    split.close()
