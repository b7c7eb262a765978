"""SB3's A2C without the forward pass that acting made already."""

from __future__ import annotations

from stable_baselines3 import A2C
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.buffers import DeviceRolloutBuffer
from coordconv_rl.fast_network import is_fast
from coordconv_rl.policies import CoordConvPolicy


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
        fast = self._fast()
        if fast is not None:
            fast[0].kept.record()
        return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)

    def train(self) -> None:
        """Do one update on the rollout; as in SB3."""
        fast = self._fast()
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

    def _fast(self) -> tuple[CoordConvPolicy, DeviceRolloutBuffer] | None:
        """Return policy and buffer if acting can keep what training needs."""
        policy, buffer = self.policy, self.rollout_buffer
        if not isinstance(policy, CoordConvPolicy) or not isinstance(buffer, DeviceRolloutBuffer):
            return None
        shared = policy.share_features_extractor and policy.coordinates_for == "shared"
        keeps = shared and is_fast(policy.features_extractor) and not self.use_sde
        return (policy, buffer) if keeps else None
