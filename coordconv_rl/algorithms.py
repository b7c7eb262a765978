"""SB3's A2C and PPO without what was computed already."""

from __future__ import annotations

import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.buffers import DeviceRolloutBuffer
from coordconv_rl.fast_network import is_fast
from coordconv_rl.policies import CoordConvPolicy
from coordconv_rl.precision import has_matrix_unit

MOST_THREADS = 2
"""Threads up to which `FastPPO` looks for repeats: finding them takes one thread."""


class FastA2C(A2C):
    """SB3's `A2C`; takes the same arguments, and a saved model opens in both.

    A2C evaluates its rollout once, with the weights that acted. With `CoordConvPolicy` over the
    Nature network, shared by actor and critic, and `DeviceRolloutBuffer`, the layers' outputs are
    kept from acting, and training computes the last layers, the loss and the backward pass only.
    Everything else is trained as SB3 does. So is a rollout that does not fit what was kept: where
    weights changed, or values in the buffer are not those that acting returned.
    """

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: RolloutBuffer,
        n_rollout_steps: int,
    ) -> bool:
        """Collect a rollout; as in SB3."""
        fast = _fast(self)
        if fast is not None:
            fast[0].kept.record()
        return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)

    def train(self) -> None:
        """Do one update on the rollout; as in SB3."""
        fast = _fast(self)
        if fast is None:
            super().train()
            return
        policy, buffer = fast
        known = policy.known_pass(buffer)
        if known is None:
            super().train()
            return
        policy.known, buffer.in_order = known, True
        try:
            super().train()
        finally:
            policy.known, buffer.in_order = None, False


class FastPPO(PPO):
    """SB3's `PPO`; takes the same arguments, and a saved model opens in both.

    With `CoordConvPolicy` over the Nature network, shared by actor and critic, and
    `DeviceRolloutBuffer` on a processor, the first two convolutions compute what several images of
    a minibatch have in common once; see `repeats.py`. Minibatches are SB3's, their images in
    another order, so sums differ by rounding. More than two threads, and AMX in bfloat16, multiply
    faster than one thread finds repeats; there it trains as `PPO` does.
    """

    def train(self) -> None:
        """Update the policy on the rollout; as in SB3."""
        fast = _fast(self)
        if fast is None or not _repeats_pay(fast[0]):
            super().train()
            return
        policy, buffer = fast
        policy.rollout, buffer.find_repeats = buffer, True
        try:
            super().train()
        finally:
            policy.rollout, buffer.find_repeats = None, False


def _repeats_pay(policy: CoordConvPolicy) -> bool:
    tiles = policy.resolved_precision == "bfloat16" and has_matrix_unit()
    return torch.get_num_threads() <= MOST_THREADS and not tiles


def _fast(model: A2C | PPO) -> tuple[CoordConvPolicy, DeviceRolloutBuffer] | None:
    """Return policy and buffer if one network of the fast kind sees the rollout's observations."""
    policy, buffer = model.policy, model.rollout_buffer
    if not isinstance(policy, CoordConvPolicy) or not isinstance(buffer, DeviceRolloutBuffer):
        return None
    shared = policy.share_features_extractor and policy.coordinates_for == "shared"
    keeps = shared and is_fast(policy.features_extractor) and not model.use_sde
    return (policy, buffer) if keeps else None
