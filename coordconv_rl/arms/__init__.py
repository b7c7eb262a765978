"""The arms of a comparison: what distinguishes each one's network from the others'.

- `arm`: what an arm says, and whether that makes sense.
- `names`: the built-in arms; arms from names and mappings, and back.

An arm is a name or, in an experiment's YAML, a mapping of `Arm`'s attributes:

    arms:
      - cnn
      - coordconv-pool  # a built-in arm, then a backbone or a head or both
      - {coords: [0, 2], radius: true, backbone: impala, name: two-layers}
      - {extractor: "my_package.networks:MyExtractor", kwargs: {width: 32}}

`parse_arm` reads either, `Arm.label` names it in tables and folders, `arm_value` writes it back.
Nothing here imports torch, so that experiments can be read without it.
"""

from coordconv_rl.arms.arm import (
    CONVOLUTIONS,
    HEADS,
    Arm,
    Backbone,
    Coords,
    Head,
    chosen_convolutions,
)
from coordconv_rl.arms.names import ARMS, arm_value, get_arm, parse_arm

__all__ = [
    "ARMS",
    "CONVOLUTIONS",
    "HEADS",
    "Arm",
    "Backbone",
    "Coords",
    "Head",
    "arm_value",
    "chosen_convolutions",
    "get_arm",
    "parse_arm",
]
