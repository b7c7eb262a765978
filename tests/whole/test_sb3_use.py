"""What people do with SB3's models around `learn`: build many, swap environments, copy, send."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
import torch
from gymnasium import spaces
from images import SHAPE, patches
from live_tensors import live_tensors, only_new_tensors
from pairs import FAST, SETTINGS, assert_same, assert_same_update, both
from process_groups import end_process_group
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.utils import set_random_seed
from torch.nn.parallel import DistributedDataParallel

from coordconv_rl import CoordConvPolicy, DeviceRolloutBuffer
from coordconv_rl.sb3.judging import Judged

ALGORITHMS = pytest.mark.parametrize("algorithm", [PPO, A2C])
FRAMES = torch.randint(256, (3, *SHAPE), dtype=torch.uint8, generator=torch.manual_seed(1))


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def make(algorithm: Any, **changed: Any) -> Any:
    settings = SETTINGS[algorithm] | {"seed": 4, "rollout_buffer_class": DeviceRolloutBuffer}
    return FAST[algorithm](CoordConvPolicy, patches(), **settings | changed)


def weights_of(policy: Any) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in policy.state_dict().items()}


def weights(model: Any) -> dict[str, torch.Tensor]:
    return weights_of(model.policy)


def assert_equal_weights(one: Any, other: Any) -> None:
    torch.testing.assert_close(weights(one), weights(other), rtol=0, atol=0)


def global_state() -> dict[str, Any]:
    """Return what is shared by everything in a process and could be left changed."""
    return {
        "threads": threading.active_count(),
        "torch's threads": torch.get_num_threads(),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "dtype": torch.get_default_dtype(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "products": torch.get_float32_matmul_precision(),
        "oneDNN": torch.backends.mkldnn.enabled,
        "cuDNN": (torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32),
        "numpy": np.geterr(),
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
        "log": (logging.root.level, list(logging.root.handlers)),
        "signals": [signal.getsignal(number) for number in (2, 15)],
    }


@ALGORITHMS
def test_a_trial_leaves_nothing_and_the_next_is_the_same(algorithm):
    """As in a search over hyperparameters: one model after another in one process."""
    make(algorithm).learn(16)  # what torch sets up at its first use
    before = global_state()
    kept: list[Any] = []
    found: list[Any] = []
    for _ in range(3):
        model = make(algorithm).learn(32)
        found.append(weights(model))
        parts = model, model.policy, model.rollout_buffer, model.policy.acting_cache
        kept += [weakref.ref(part) for part in parts]
        del model, parts
    gc.collect()
    assert [ref() for ref in kept] == [None] * len(kept)
    assert global_state() == before
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=0, atol=0)


@ALGORITHMS
def test_another_environment_in_the_middle(algorithm):
    fast, stock = both(algorithm)
    assert_same_update(fast, stock)
    for model in (fast, stock):
        model.set_env(patches())
    assert_same_update(fast, stock)
    assert np.array_equal(fast._last_obs, stock._last_obs)


@ALGORITHMS
def test_a_copy_goes_on_as_the_original_and_apart_from_it(algorithm):
    model = make(algorithm).learn(16)
    model.predict(model._last_obs)  # or the distribution has gradients, which torch cannot copy
    other = copy.deepcopy(model)
    before = weights(other)
    for one in (model, other):
        set_random_seed(7)
        one.learn(16, reset_num_timesteps=False)
        if one is model:
            torch.testing.assert_close(weights(other), before, rtol=0, atol=0)
    assert_equal_weights(model, other)
    assert any(not torch.equal(before[key], value) for key, value in weights(other).items())


LOADED = """
import pickle, sys, torch
from stable_baselines3.common.utils import set_random_seed

policy, model, frames = map(pickle.loads, pickle.load(sys.stdin.buffer))
torch.set_num_threads(1)
with torch.no_grad():
    found = [(p(frames, True), p.predict_values(frames)) for p in (policy, model.policy)]
set_random_seed(7)
model.learn(16, reset_num_timesteps=False)
pickle.dump((found, model.policy.state_dict()), sys.stdout.buffer)
"""


def test_sent_to_another_process():
    """A policy by pickle, a model by cloudpickle: outputs there are those here; so is training."""
    model = make(PPO).learn(16)
    with torch.no_grad():
        model.policy(FRAMES)  # what acting prepares lies in the policy now
    sent = pickle.dumps(model.policy), cloudpickle.dumps(model), pickle.dumps(FRAMES)
    path = str(Path(__file__).parents[1] / "helpers")
    found = subprocess.run(
        [sys.executable, "-c", LOADED], input=pickle.dumps(sent), check=True,
        stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}, timeout=120,
    )  # fmt: skip
    outputs, after = pickle.loads(found.stdout)
    with torch.no_grad():
        expected = model.policy(FRAMES, True), model.policy.predict_values(FRAMES)
    torch.testing.assert_close(outputs, [expected, expected], rtol=0, atol=0)
    set_random_seed(7)
    model.learn(16, reset_num_timesteps=False)
    torch.testing.assert_close(after, model.policy.state_dict(), rtol=0, atol=0)


@ALGORITHMS
def test_a_file_goes_from_ours_to_stock_and_back(algorithm, tmp_path):
    """After each change of class, the same update gives the same weights."""
    exact = {"policy_kwargs": {"precision": "float32"}}
    model = make(algorithm, **exact).learn(16)
    for number, (first, second) in enumerate(
        [(FAST[algorithm], algorithm), (algorithm, FAST[algorithm])]
    ):
        path = tmp_path / f"{number}.zip"
        model.save(path)
        found = []
        for cls in (first, second):
            one = cls.load(path, env=patches())
            assert type(one) is cls
            set_random_seed(7)
            found.append(one.learn(16, reset_num_timesteps=False))
        assert_same(weights(found[1]), weights(found[0]))
        assert one.num_timesteps == model.num_timesteps + 16
        model = one
    policy = tmp_path / "policy.zip"
    model.policy.save(policy)
    loaded = CoordConvPolicy.load(policy)
    with torch.no_grad():
        torch.testing.assert_close(loaded(FRAMES, True), model.policy(FRAMES, True), rtol=0, atol=0)


def loss(call: Any) -> torch.Tensor:
    _, values, log_prob = call(FRAMES, True)
    return (values.sum() + 3 * log_prob.sum()) / 10


def gradients(policy: Any) -> list[torch.Tensor]:
    found = [p.grad.clone() for p in policy.parameters()]
    policy.zero_grad(set_to_none=True)
    return found


@pytest.fixture
def group(tmp_path):
    """A process group of one."""
    if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
        pytest.skip("torch was built without gloo")
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    end_process_group()


@pytest.mark.usefixtures("group")
def test_distributed_data_parallel_gives_the_same_gradients():
    fast, stock = both(PPO)
    loss(fast.policy).backward()
    expected = gradients(fast.policy)
    reduced = []
    parallel = DistributedDataParallel(fast.policy)

    def reduce(_, bucket):
        reduced.append(bucket.buffer().numel())
        future = torch.futures.Future()
        future.set_result(bucket.buffer())
        return future

    parallel.register_comm_hook(None, reduce)
    loss(parallel).backward()
    found = gradients(fast.policy)
    assert sum(reduced) == sum(p.numel() for p in fast.policy.parameters())
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    loss(stock.policy).backward()
    assert_same(found, gradients(stock.policy))


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled_with_gradients(backend):
    if backend == "inductor":
        if not (shutil.which("g++") or shutil.which("clang++")):
            pytest.skip("torch's inductor wants a C++ compiler")
        if "TEST_INDUCTOR" not in os.environ:
            pytest.skip("takes a minute of C++: set TEST_INDUCTOR to try it")
    fast, stock = both(PPO)
    torch._dynamo.reset()
    loss(torch.compile(fast.policy, backend=backend)).backward()
    loss(stock.policy).backward()
    assert_same(gradients(fast.policy), gradients(stock.policy))


@pytest.fixture
def _busy_threads():
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], Any], rounds: int, count: int = 8) -> None:
    """Call something in several threads at once, again and again, with the thread's number."""

    def repeat(number: int) -> None:
        torch.set_num_threads(1)
        for _ in range(rounds):
            work(number)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(repeat, range(count)))  # raises what a thread raised


def images_of_threads(count: int = 8) -> list[torch.Tensor]:
    """Return other images, and other numbers of them, for each thread."""
    draw = torch.Generator().manual_seed(3)
    numbers = (1, 2, 9, 3, 8, 5, 1, 4)[:count]
    return [torch.randint(256, (n, *SHAPE), dtype=torch.uint8, generator=draw) for n in numbers]


def answers(policy: Any, obs: torch.Tensor) -> list[torch.Tensor]:
    """Return what a server asks of a policy, in all of SB3's ways."""
    with torch.no_grad():
        actions, *rest = policy(obs, deterministic=True)
        rest += [*policy.evaluate_actions(obs, actions), policy.predict_values(obs)]
    played, _ = policy.predict(obs.numpy(), deterministic=True)
    return [actions, *rest, torch.from_numpy(played)]


FLOAT: dict[str, Any] = {"precision": "float32"}
SERVED: dict[str, dict[str, Any]] = {
    "fast": FLOAT,
    "auto": {},
    "continuous": FLOAT,
    "actor": FLOAT | {"coordinates_for": "actor"},
    "plain": FLOAT | {"coordinates_for": "actor", "normalize_images": False},
}


@pytest.mark.usefixtures("_busy_threads")
@pytest.mark.parametrize("name", SERVED)
def test_one_policy_in_many_threads(name):
    """As in a server; stock SB3's policy gives one thread what another one asked for."""
    torch.manual_seed(0)
    space = patches().observation_space
    if name == "plain":  # images as floats go through the extractor itself
        space = spaces.Box(0, 1, SHAPE, np.float32)
    actions = spaces.Box(-1, 1, (2,)) if name == "continuous" else spaces.Discrete(3)
    policy = CoordConvPolicy(space, actions, lambda _: 1e-3, **SERVED[name])
    with torch.no_grad():
        policy.action_net.weight.mul_(100)
    before = weights_of(policy)
    images = [x.float() / 255 if name == "plain" else x for x in images_of_threads()]
    alone = [answers(policy, x) for x in images]

    def ask(number: int) -> None:
        found = answers(policy, images[number])
        torch.testing.assert_close(found, alone[number], rtol=1e-5, atol=1e-5)

    in_threads(ask, rounds=10)
    torch.testing.assert_close(weights_of(policy), before, rtol=0, atol=0)
    torch.testing.assert_close([answers(policy, x) for x in images], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("_busy_threads")
def test_policies_that_are_judged_in_many_threads():
    """Two that share a pass, and one whose images others change from call to call."""
    torch.manual_seed(0)
    space = patches().observation_space
    one = CoordConvPolicy(space, spaces.Discrete(3), lambda _: 1e-3, **FLOAT)
    other = copy.deepcopy(one)
    with torch.no_grad():
        other.features_extractor.cnn[0].coord_weight.zero_()
    judged = Judged([one, other])
    images = [x.numpy() for x in images_of_threads()]
    who = [np.arange(len(x)) % 2 for x in images]
    alone = [judged.logits(w, x) for w, x in zip(who, images, strict=True)]

    def judge(number: int) -> None:
        found = judged.logits(who[number], images[number])
        torch.testing.assert_close(found, alone[number], rtol=1e-5, atol=1e-5)

    in_threads(judge, rounds=10)


@pytest.mark.usefixtures("_busy_threads")
@pytest.mark.parametrize("way", ["predict", "call"])
@ALGORITHMS
def test_another_thread_evaluates_what_is_trained(algorithm, way):
    """Training gives the weights of stock SB3 alone; beside it stock's fails, or trains others."""
    fast, stock = both(algorithm)
    for model in (fast, stock):
        with torch.no_grad():
            model.policy.action_net.weight.mul_(5)
    done, asked = threading.Event(), []

    def evaluate() -> None:
        torch.set_num_threads(1)
        while not done.is_set():
            if way == "predict":
                played, _ = fast.policy.predict(FRAMES.numpy(), deterministic=True)
            else:
                with torch.no_grad():
                    played, *_ = fast.policy(FRAMES, deterministic=True)
            asked.append(len(played))

    with ThreadPoolExecutor(1) as pool:
        evaluation = pool.submit(evaluate)
        try:
            assert_same_update(fast, stock, steps=48)
        finally:
            done.set()
        evaluation.result()
    assert set(asked) == {len(FRAMES)}
    assert len(asked) > 5
    torch.testing.assert_close(
        fast.policy.predict(FRAMES.numpy(), deterministic=True),
        stock.policy.predict(FRAMES.numpy(), deterministic=True),
    )


@pytest.fixture
def _new_tensors():
    with only_new_tensors():
        yield


@pytest.mark.usefixtures("_new_tensors")
def test_hundreds_of_predictions_keep_nothing():
    """Outside of a rollout, by both of SB3's ways; nor do threads that came and went."""
    space, actions = patches().observation_space, spaces.Discrete(3)
    policy = CoordConvPolicy(space, actions, lambda _: 1e-3, precision="bfloat16")
    frames = FRAMES.numpy()

    def predict() -> None:
        policy.predict(frames[:1], deterministic=True)

    predict()
    policy.set_training_mode(False)  # forgets what acting prepared
    nothing = live_tensors()
    predict()
    after_one = live_tensors()
    for number in range(200):
        if number % 5:
            with torch.no_grad():
                policy(FRAMES[: 1 + number % 2])
        else:
            policy.predict(frames[: 1 + number % 3])
    predict()
    assert live_tensors() == after_one
    for _ in range(5):
        thread = threading.Thread(target=predict)
        thread.start()
        thread.join()
    predict()
    assert live_tensors() == after_one
    policy.set_training_mode(False)
    assert live_tensors() == nothing
