"""Images of a minibatch that are gathered only if somebody looks at them.

Where it is known which patches of a minibatch are distinct, or what acting computed for its
images, features follow without the images. They still are what the minibatch holds: a tensor
like any other for everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from coordconv_rl.fast.gate import KnownLayers, Observations
from coordconv_rl.fast.network import Computation, features, patch_features, prepare
from coordconv_rl.fast.patch_index import PatchBatch
from coordconv_rl.fast.recording import Recorded


class LazyImages(Tensor):
    """uint8 images (N, C, H, W) that any operation gathers first, once.

    Args:
        kind: Shape, type and device of what `gather` returns.
        gather: Returns the images, perhaps where they lie in a buffer.
        patches: Their distinct patches, if known.
        recorded: What acting computed for them, if known.
    """

    @staticmethod
    def __new__(cls, kind: Observations, *_: object) -> LazyImages:
        """Make a tensor without contents."""
        made: LazyImages = Tensor._make_wrapper_subclass(
            cls, kind.shape, dtype=kind.dtype, device=kind.device
        )
        if hasattr(torch._C, "_set_throw_on_mutable_data_ptr"):  # code in C finds no contents here,
            torch._C._set_throw_on_mutable_data_ptr(made)  # and should raise rather than crash
        return made

    def __init__(
        self,
        kind: Observations,
        gather: Callable[[], Tensor],
        patches: PatchBatch | None = None,
        recorded: Recorded | None = None,
    ) -> None:
        self.kind = kind
        self._gather = gather
        self._patches = patches
        self._recorded = recorded
        self._images: Tensor | None = None

    def images(self) -> Tensor:
        """Return the images themselves, always the same tensor, which may be written to.

        They lie as SB3's do, channels first, so that `view` works.
        """
        if self._images is None:
            self._images = self._gather().clone(memory_format=torch.contiguous_format)
        return self._images

    def features(self, layers: KnownLayers, computation: Computation) -> Tensor:
        """Return a network's features of these images, (N, features_dim) in float32.

        Images that somebody has looked at may have been written to: then they are computed.

        Args:
            layers: What the gate found.
            computation: How to compute.
        """
        if self._images is not None:
            return features(prepare(layers, computation), self._images)
        if self._recorded is None:
            network, known = prepare(layers, computation), None
        else:
            network, known = self._recorded.take(layers, computation)
        if self._patches is not None:
            return patch_features(network, self._patches, self._gather, known)
        return features(network, self._gather(), known)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Gather the images, then call the function with them."""
        args, kwargs = tree_map_only(LazyImages, LazyImages.images, (args, kwargs or {}))
        return func(*args, **kwargs)

    __torch_dispatch__ = __torch_function__  # type: ignore[assignment]  # called alike
