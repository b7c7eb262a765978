"""A2C that uses acting's forward pass again; A2C and PPO that compute repeated patches once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.torch_layers import MlpExtractor
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor, nn

from coordconv_rl.fast import (
    BACKWARD,
    EAGER,
    KEEN,
    WARY,
    KnownLayers,
    Limits,
    Recording,
    StepsAside,
    has_fast_float32,
    has_matrix_unit,
    is_float32_exact,
)
from coordconv_rl.sb3.lazy_rollouts import PatchRollout, RecordedRollout
from coordconv_rl.sb3.policy import CoordConvPolicy
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

MOST_THREADS = 2
"""Threads up to which repeats are looked for: finding them takes one thread."""

_Parts: TypeAlias = tuple[CoordConvPolicy, DeviceRolloutBuffer, KnownLayers]

_METHODS = frozenset(dir(CoordConvPolicy)) - frozenset(dir(nn.Module))
"""What, as an attribute of a policy itself, hides a method of its class."""

_ROW_BY_ROW = frozenset(
    {MlpExtractor, nn.Sequential, nn.Linear, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU,
     nn.SiLU, nn.Identity, nn.LayerNorm}
)  # fmt: skip
"""Modules that treat each row of a minibatch alike, wherever it stands."""

_TRAIN = {A2C: A2C.train, PPO: PPO.train}
_GATHER = tuple((name, getattr(DeviceRolloutBuffer, name)) for name in ("_get_samples", "to_torch"))

_log = logging.getLogger(__name__)


class _Fast(OnPolicyAlgorithm):
    """What both algorithms share: they step aside, and say once why."""

    _reasons: frozenset[str] = frozenset()
    _recording: Recording | None = None

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "_reasons", "_recording"]

    def _fast_parts(self) -> _Parts | None:
        """Return policy, buffer and layers if a known network sees the rollout's observations."""
        try:
            return _fast_parts(self)
        except StepsAside as reason:
            self._knows(str(reason))
            return None

    def _knows(self, reason: str | None) -> bool:
        """Tell whether there is no reason to train as SB3 does, and say once what it is."""
        if reason is not None and reason not in self._reasons:
            _log.info("%s trains by SB3's own code: %s", type(self).__name__, reason)
            self._reasons |= {reason}
        return reason is None

    def _is_step(self, frames: Tensor) -> bool:
        """Tell whether these are the environments' last images, which SB3 gives without a copy.

        On a GPU they are copies. There nothing tells them from what a callback looks at.
        """
        last = self._last_obs
        if not frames.is_cpu or not isinstance(last, np.ndarray):
            return True
        return frames.shape == last.shape and frames.data_ptr() == last.ctypes.data

    def _new_recording(self, buffer: DeviceRolloutBuffer) -> Recording | None:
        """Return what keeps a rollout's steps for the update, if the algorithm uses them again."""
        return None

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: RolloutBuffer,
        n_rollout_steps: int,
    ) -> bool:
        """Collect a rollout; as in SB3."""
        self._recording = None
        parts = self._fast_parts()
        if parts is None:
            return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)
        policy, buffer, _ = parts
        recording = self._new_recording(buffer)
        with policy.acting_cache.collecting(self._is_step, recording):
            is_whole = super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)
        self._recording = recording if is_whole else None
        return is_whole

    @contextmanager
    def _training_on(self, rollout: PatchRollout | RecordedRollout) -> Iterator[None]:
        buffer, self.rollout_buffer = self.rollout_buffer, rollout
        try:
            yield
        finally:
            self.rollout_buffer = buffer
            rollout.settle()


class FastA2C(_Fast, A2C):
    """SB3's `A2C`; takes the same arguments, and a saved model opens in both.

    A2C evaluates its rollout once, with the weights that acted. With `CoordConvPolicy` over the
    Nature network, shared by actor and critic, and `DeviceRolloutBuffer`, the layers' outputs are
    kept from acting, and training computes the last layers, the loss and the backward pass only;
    the convolutions' share of it, on a processor, once for what several images have in common.
    Everything else is trained as SB3 does. So is a rollout that does not fit what was kept: where
    weights changed, or images in the buffer are not those that acting saw.
    """

    def _new_recording(self, buffer: DeviceRolloutBuffer) -> Recording:
        return Recording(buffer.buffer_size, buffer.snapshot)

    def train(self) -> None:
        """Do one update on the rollout; as in SB3."""
        recording, self._recording = self._recording, None
        parts = self._fast_parts()
        if recording is None or parts is None:
            super().train()
            return
        policy, buffer, layers = parts
        recorded = None
        if self._knows(_order_matters(policy)):
            recorded = recording.join(layers.weights, buffer.is_shown)
        if recorded is None:
            super().train()
            return
        limits = _limits(policy)
        if limits is not None:
            first, second, third = map(min, limits, BACKWARD)
            limits = (first, second, third)
        with self._training_on(RecordedRollout(buffer, recorded, limits)):
            super().train()


class FastPPO(_Fast, PPO):
    """SB3's `PPO`; takes the same arguments, and a saved model opens in both.

    With `CoordConvPolicy` over the Nature network, shared by actor and critic, and
    `DeviceRolloutBuffer` on a processor, the convolutions compute what several images of a
    minibatch have in common once; see `fast/patch_index.py`. Minibatches are SB3's; sums differ by
    rounding. Many threads multiply faster than one finds repeats; there it trains as `PPO` does.
    In float32, acting computes what changed since the step before; see `fast/changed_images.py`.
    """

    def train(self) -> None:
        """Update the policy on the rollout; as in SB3."""
        parts = self._fast_parts()
        limits = None if parts is None else _limits(parts[0])
        if parts is None or limits is None:
            super().train()
            return
        with self._training_on(PatchRollout(parts[1], limits)):
            super().train()


def _limits(policy: CoordConvPolicy) -> Limits | None:
    """Return how much must come again for a gain; None if nothing is to be looked for.

    With AMX plain products are faster still, so there it is wary.
    """
    threads = torch.get_num_threads()
    if threads > MOST_THREADS:
        return None
    if threads > 1:
        return WARY
    if policy.resolved_precision == "bfloat16":
        return WARY if has_matrix_unit() else EAGER
    return KEEN if has_fast_float32() else WARY


def _fast_parts(model: OnPolicyAlgorithm) -> _Parts:
    """Return policy, buffer and layers, or raise `StepsAside` where something is not known."""
    policy, buffer = model.policy, model.rollout_buffer
    kind, own = (A2C, FastA2C) if isinstance(model, A2C) else (PPO, FastPPO)
    order = type(model).__mro__
    after = order[order.index(own) + 1 :]
    if next(vars(k)["train"] for k in after if "train" in vars(k)) is not _TRAIN[kind]:
        raise StepsAside(f"{kind.__name__}.train was changed, and may change the rollout")
    if not isinstance(policy, CoordConvPolicy):
        raise StepsAside(f"the policy is a {type(policy).__name__}")
    if type(buffer) is not DeviceRolloutBuffer:
        raise StepsAside(f"the rollout buffer is a {type(buffer).__name__}")
    if not policy.share_features_extractor or policy.coordinates_for != "shared":
        raise StepsAside("actor and critic see different features")
    on_processor = policy.device.type == "cpu"
    if on_processor and policy.resolved_precision == "float32" and not is_float32_exact():
        raise StepsAside("torch is allowed to compute float32 in a lower precision")
    if any(getattr(getattr(buffer, name), "__func__", None) is not ours for name, ours in _GATHER):
        raise StepsAside("minibatches are gathered by another function")
    if model.use_sde:
        raise StepsAside("actions are drawn with state-dependent noise")
    return policy, buffer, policy.known_layers(torch.Size(buffer.obs_shape))


def _order_matters(policy: CoordConvPolicy) -> str | None:
    """Say why an update may depend on the order of a minibatch's rows; None where it cannot.

    SB3's one minibatch of A2C is in the order of a draw, what acting recorded in that of memory.
    Sums are the same; a dropout, or a method that takes some of the rows, is not.
    """
    if type(policy) is not CoordConvPolicy or not _METHODS.isdisjoint(policy.__dict__):
        return f"the policy has methods of its own ({type(policy).__name__})"
    if type(policy.action_dist).__module__ != CategoricalDistribution.__module__:
        return f"actions are drawn by a {type(policy.action_dist).__name__}"
    for head in (policy.mlp_extractor, policy.action_net, policy.value_net):
        for module in head.modules():
            hooks = module._forward_hooks or module._forward_pre_hooks
            if type(module) not in _ROW_BY_ROW or hooks or "forward" in module.__dict__:
                return f"behind the features is a {type(module).__name__} that is not known"
    return None
