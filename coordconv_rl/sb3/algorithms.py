"""SB3's A2C and PPO without what was computed already."""

from __future__ import annotations

from dataclasses import replace

import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.fast import BACKWARD, EAGER, WARY, Limits, has_matrix_unit, is_fast
from coordconv_rl.sb3.policy import CoordConvPolicy
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

MOST_THREADS = 2
"""Threads up to which repeats are looked for: finding them takes one thread."""


class FastA2C(A2C):
    """SB3's `A2C`; takes the same arguments, and a saved model opens in both.

    A2C evaluates its rollout once, with the weights that acted. With `CoordConvPolicy` over the
    Nature network, shared by actor and critic, and `DeviceRolloutBuffer`, the layers' outputs are
    kept from acting, and training computes the last layers, the loss and the backward pass only;
    the convolutions' share of it, on a processor, once for what several images have in common.
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
        if (limits := _limits(policy)) is not None:
            first, second, third = map(min, limits, BACKWARD)
            known = replace(known, repeats=buffer.repeats((first, second, third)))
        policy.known, buffer.in_order = known, True
        try:
            super().train()
        finally:
            policy.known, buffer.in_order = None, False


class FastPPO(PPO):
    """SB3's `PPO`; takes the same arguments, and a saved model opens in both.

    With `CoordConvPolicy` over the Nature network, shared by actor and critic, and
    `DeviceRolloutBuffer` on a processor, the convolutions compute what several images of a
    minibatch have in common once; see `repeats.py`. Minibatches are SB3's; sums differ by
    rounding. Many threads multiply faster than one finds repeats; there it trains as `PPO` does.
    """

    def train(self) -> None:
        """Update the policy on the rollout; as in SB3."""
        fast = _fast(self)
        if fast is None:
            super().train()
            return
        policy, buffer = fast
        policy.rollout, buffer.find_repeats = buffer, _limits(policy)
        try:
            super().train()
        finally:
            policy.rollout, buffer.find_repeats = None, None


def _limits(policy: CoordConvPolicy) -> Limits | None:
    """Return how much must come again for a gain; None if nothing is to be looked for.

    With AMX plain products are faster still, which was not measured, so there it is wary.
    """
    threads = torch.get_num_threads()
    if threads > MOST_THREADS:
        return None
    single = threads == 1 and policy.resolved_precision == "bfloat16"
    return EAGER if single and not has_matrix_unit() else WARY


def _fast(model: A2C | PPO) -> tuple[CoordConvPolicy, DeviceRolloutBuffer] | None:
    """Return policy and buffer if one network of the fast kind sees the rollout's observations."""
    policy, buffer = model.policy, model.rollout_buffer
    if not isinstance(policy, CoordConvPolicy) or not isinstance(buffer, DeviceRolloutBuffer):
        return None
    if type(policy).evaluate_actions is not CoordConvPolicy.evaluate_actions:
        return None  # A subclass may want to see the images.
    shared = policy.share_features_extractor and policy.coordinates_for == "shared"
    keeps = shared and is_fast(policy.features_extractor) and not model.use_sde
    return (policy, buffer) if keeps else None
