"""The fast computation of the Nature network, with tensors and numbers only.

- `interception`: whether torch records, transforms or watches what would be computed.
- `gate`: the known layers of a network, or the reason why the fast path steps aside.
- `weights_seen`: what weights were, to notice when they are others.
- `network`: the Nature network on uint8 frames: weights prepared, features computed.
- `fused`: a convolution or linear layer with its offset and ReLU, in few passes over memory.
- `products`: float32 products by oneDNN where it is faster than MKL.
- `packed_linear`: a linear layer for few rows with its weight in oneDNN's own order.
- `acting_cache`: prepared weights, of one rollout's steps and of what else acts.
- `recording`: the outputs of a rollout's steps, which A2C's update uses again.
- `changed_images`: convolutions while acting, computed only where images changed.
- `lazy_images`: images of a minibatch that are gathered only if somebody looks at them.
- `patch_ids`: integer ids for patches: at one position, equal ids mean equal bytes.
- `patch_index`: the distinct patches of a rollout's images, and of a minibatch of them.
- `patch_convolution`: convolutions over many images, each distinct patch computed once.
- `precision`: float32, or bfloat16 where the hardware multiplies it.
"""

from coordconv_rl.fast.acting_cache import ActingCache
from coordconv_rl.fast.gate import (
    KnownLayers,
    Observations,
    StepsAside,
    check_untouched,
    known_layers,
)
from coordconv_rl.fast.interception import are_original, intercepted_by, is_exporting
from coordconv_rl.fast.lazy_images import LazyImages
from coordconv_rl.fast.network import (
    Computation,
    Network,
    features,
    for_acting,
    prepare,
    split_features,
)
from coordconv_rl.fast.patch_index import BACKWARD, EAGER, KEEN, WARY, Limits, PatchIndex
from coordconv_rl.fast.precision import (
    Resolved,
    check_precision,
    detect_precision,
    has_matrix_unit,
)
from coordconv_rl.fast.products import has_fast_float32, is_float32_exact
from coordconv_rl.fast.recording import Recorded, Recording

__all__ = [
    "BACKWARD",
    "EAGER",
    "KEEN",
    "WARY",
    "ActingCache",
    "Computation",
    "KnownLayers",
    "LazyImages",
    "Limits",
    "Network",
    "Observations",
    "PatchIndex",
    "Recorded",
    "Recording",
    "Resolved",
    "StepsAside",
    "are_original",
    "check_precision",
    "check_untouched",
    "detect_precision",
    "features",
    "for_acting",
    "has_fast_float32",
    "has_matrix_unit",
    "intercepted_by",
    "is_exporting",
    "is_float32_exact",
    "known_layers",
    "prepare",
    "split_features",
]
