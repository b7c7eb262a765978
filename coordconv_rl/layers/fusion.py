"""Why batch normalisation is not folded into a CoordConv layer, and how torch is told."""

from __future__ import annotations

import sys
from types import FrameType

from torch.nn.utils.fusion import fuse_conv_bn_eval

from coordconv_rl.errors import InputError


def refuse_fusion() -> None:
    """Raise `InputError` if torch copies a layer to fold batch normalisation into the copy.

    `fuse_conv_bn_eval` scales `weight` and `bias` of the copy and knows nothing of `coord_weight`,
    so the result would be wrong in silence. It asks the layer nothing that could be answered with
    a refusal: the copy is the only moment when the layer can tell who calls.
    """
    caller: FrameType | None = sys._getframe()
    for _ in range(3):  # behind this function, __deepcopy__ and copy.deepcopy
        caller = caller and caller.f_back
    if caller is not None and caller.f_code is fuse_conv_bn_eval.__code__:
        raise InputError(
            "batch normalisation cannot be folded into a CoordConv layer, whose coord_weight torch "
            "would not scale: leave the two apart, or fold it into AddCoords followed by a plain "
            "convolution"
        )
