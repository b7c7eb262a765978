"""SB3's own computation for the one arm that SB3's own policy cannot express.

Arms with an extractor of the user's own train on SB3's plain path, and so do all that they are
compared with: `ActorCriticCnnPolicy`, `PPO` or `A2C`, and `RolloutBuffer`. What is left is an
arm whose actor alone sees coordinates.
"""

from __future__ import annotations

import torch
from stable_baselines3.common.type_aliases import PyTorchObs
from torch import nn

from coordconv_rl.fast import KnownLayers, StepsAside
from coordconv_rl.sb3.policy import CoordConvPolicy


class PlainPolicy(CoordConvPolicy):
    """`CoordConvPolicy` that always calls its extractor, as SB3 does.

    In float32 its actions, values and updates are bit for bit those of `ActorCriticCnnPolicy`
    where actor and critic see the same.
    """

    def known_layers(self, image: torch.Size) -> KnownLayers:
        """Raise `StepsAside`: nothing is computed in another way."""
        raise StepsAside("the policy is plain")

    def _layers_of(self, extractor: nn.Module, obs: PyTorchObs) -> KnownLayers | None:
        return None
