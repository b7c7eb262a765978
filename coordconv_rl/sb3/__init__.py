"""CoordConv in Stable-Baselines3.

- `backbones`: the convolutional networks of the extractors, and the images that they take.
- `heads`: what becomes of a backbone's last feature maps.
- `extractors`: feature extractors, the arms of a comparison in plain `policy_kwargs`.
- `optimizers`: SB3's optimizers in fewer passes over the weights.
- `features`: features by calling the extractor, and the gate to computing them faster.
- `sampling`: SB3's draws of actions with fewer calls.
- `rollout_buffer`: a rollout buffer whose images stay on the network's device.
- `lazy_rollouts`: views of a rollout whose images are gathered only if looked at.
- `policy`: the fast image policy for A2C and PPO.
- `judging`: policies that play side by side without learning, in one pass where that can be.
- `plain`: the same policy in SB3's own computation.
- `algorithms`: A2C that uses acting's forward pass again; A2C and PPO that compute repeated
  patches once.
- `convert`: coordinates for a model that is trained already.
"""

from coordconv_rl.sb3.algorithms import FastA2C, FastPPO
from coordconv_rl.sb3.convert import add_coordinates
from coordconv_rl.sb3.extractors import (
    CoordConvCombinedExtractor,
    CoordConvExtractor,
    extractor_class,
    extractor_settings,
    parameter_counts,
)
from coordconv_rl.sb3.judging import Judged
from coordconv_rl.sb3.optimizers import ADAM, RMSPROP, Adam, RMSpropTFLike
from coordconv_rl.sb3.plain import PlainPolicy
from coordconv_rl.sb3.policy import CoordConvPolicy
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

__all__ = [
    "ADAM",
    "RMSPROP",
    "Adam",
    "CoordConvCombinedExtractor",
    "CoordConvExtractor",
    "CoordConvPolicy",
    "DeviceRolloutBuffer",
    "FastA2C",
    "FastPPO",
    "Judged",
    "PlainPolicy",
    "RMSpropTFLike",
    "add_coordinates",
    "extractor_class",
    "extractor_settings",
    "parameter_counts",
]
