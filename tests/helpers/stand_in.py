"""A pytest plugin: our classes stand where SB3's and sb3-contrib's tests name theirs.

`--ours` puts them there: FastPPO for PPO, FastA2C for A2C, CoordConvPolicy for "CnnPolicy" of these
and TRPO, DeviceRolloutBuffer where they see uint8 images, CoordConvExtractor for NatureCNN and
CoordConvCombinedExtractor for CombinedExtractor in every algorithm. `--outcomes` names the file
that gets one JSON line a test, `--seconds` is how long one may take.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import sb3_contrib
import stable_baselines3
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import BaseModel
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import CombinedExtractor, NatureCNN

from coordconv_rl import (
    CoordConvCombinedExtractor,
    CoordConvExtractor,
    CoordConvPolicy,
    DeviceRolloutBuffer,
    FastA2C,
    FastPPO,
)
from coordconv_rl.sb3 import policy

_touched: set[str] = set()
"""What of ours the running test has used: an "algorithm", an "extractor", the "fast" features."""


def pytest_addoption(parser):
    parser.addoption("--ours", action="store_true")
    parser.addoption("--outcomes", type=Path, required=True)
    parser.addoption("--seconds", type=int, default=120)


def pytest_configure(config):
    config.pluginmanager.register(Outcomes(config))
    if config.getoption("--ours"):
        _replace_algorithms()
        _replace_buffers()
        _replace_extractors()
        _note_fast_features()


def _replace_algorithms():
    for stock, ours in ((stable_baselines3.PPO, FastPPO), (stable_baselines3.A2C, FastA2C)):
        stock.policy_aliases = stock.policy_aliases | {"CnnPolicy": CoordConvPolicy}
        for name, module in list(sys.modules.items()):
            if name.startswith("stable_baselines3") and getattr(module, ours.__name__[4:], 0):
                setattr(module, ours.__name__[4:], ours)
    trpo = sb3_contrib.TRPO
    trpo.policy_aliases = trpo.policy_aliases | {"CnnPolicy": CoordConvPolicy}
    begin = BaseAlgorithm.__init__

    def noted(self, *args, **kwargs):
        if isinstance(self, (FastPPO, FastA2C)):
            _touched.add("algorithm")
        begin(self, *args, **kwargs)

    BaseAlgorithm.__init__ = noted


def _replace_buffers():
    stock = OnPolicyAlgorithm._setup_model

    def setup(self):
        space = self.observation_space
        are_images = (
            isinstance(space, spaces.Box) and len(space.shape) == 3 and space.dtype == np.uint8
        )
        if self.rollout_buffer_class is None and are_images:
            self.rollout_buffer_class = DeviceRolloutBuffer
        stock(self)

    OnPolicyAlgorithm._setup_model = setup


def _replace_extractors():
    def make(self):
        kind, kwargs = self.features_extractor_class, self.features_extractor_kwargs
        space = self.observation_space
        scaled = kwargs.get("normalized_image", False)
        parts = space.values() if isinstance(space, spaces.Dict) else ()
        if kind is NatureCNN:
            kind = CoordConvExtractor
        elif kind is CombinedExtractor and any(
            is_image_space(part, normalized_image=scaled) for part in parts
        ):
            kind = CoordConvCombinedExtractor
        if issubclass(kind, (CoordConvExtractor, CoordConvCombinedExtractor)):
            _touched.add("extractor")
        return kind(space, **kwargs)

    BaseModel.make_features_extractor = make


def _note_fast_features():
    known = policy.layers_of

    def noted(*args):
        found = known(*args)
        _touched.add("fast")
        return found

    policy.layers_of = noted


class Outcomes:
    """Writes down what became of each test, as soon as it has ended."""

    def __init__(self, config):
        self.path, self.seconds = config.getoption("--outcomes"), config.getoption("--seconds")

    def pytest_runtest_logstart(self, nodeid):
        _touched.clear()
        self.outcome, self.text = "passed", ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        def stop(*_):
            raise TimeoutError(f"cut after {self.seconds} s")

        before = signal.signal(signal.SIGALRM, stop)
        signal.alarm(self.seconds)
        try:
            return (yield)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)

    def pytest_runtest_logreport(self, report):
        if report.outcome != "passed" and self.outcome != "failed":
            self.outcome = report.outcome
            crash = getattr(report.longrepr, "reprcrash", None)
            self.text = crash.message.splitlines()[0] if crash else str(report.longrepr)[-200:]

    def pytest_runtest_logfinish(self, nodeid):
        found = {"id": nodeid, "outcome": self.outcome, "ours": sorted(_touched)}
        with self.path.open("a") as file:
            file.write(json.dumps(found | {"text": self.text}) + "\n")
