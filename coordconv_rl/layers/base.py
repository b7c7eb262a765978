"""What the CoordConv layers share: the coordinates' weights and what they add to the output."""

import copy
import math
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils.parametrize import is_parametrized

from coordconv_rl.errors import as_flag, as_integer
from coordconv_rl.layers.arguments import check_groups, plain_integers
from coordconv_rl.layers.coordinate_map import KeptMap, add_to_each
from coordconv_rl.layers.coordinates import CoordinateGrid, channels_like, is_recording
from coordconv_rl.layers.fusion import refuse_fusion

torch.fx.wrap("channels_like")


class CoordConvNd(_ConvNd):
    """A convolution over an input and its pixels' coordinates; the layers derive from it.

    Annotations in this module and its neighbours are objects, not text, and none is of an attribute
    of the class: TorchScript and torch.fx read them.
    """

    _blind_in = frozenset()  # type: ignore[var-annotated]  # threads: see `_is_blind`

    def __init__(
        self, *args: Any, radius: bool = False, shuffle_seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(
            *map(plain_integers, args), **{k: plain_integers(v) for k, v in kwargs.items()}
        )
        check_groups(type(self).__name__, self.groups, self.out_channels)
        self._give_coordinates(radius, shuffle_seed)
        self._reset_coordinates()

    def _give_coordinates(self, radius: bool, shuffle_seed: int | None) -> None:
        """Add all that the torch layer does not have; the new weights are zero."""
        self.radius = as_flag("radius", radius)
        self.shuffle_seed = (
            None if shuffle_seed is None else as_integer("shuffle_seed", shuffle_seed)
        )
        channels = len(self.kernel_size) + self.radius
        own = self.weight
        shape = (
            (channels, *own.shape[1:])
            if self.transposed
            else (own.shape[0], channels, *own.shape[2:])
        )
        self.coord_weight = nn.Parameter(torch.zeros(shape, dtype=own.dtype, device=own.device))
        self._grid = CoordinateGrid()
        self._kept: KeptMap | None = None

    def reset_parameters(self) -> None:
        """Draw all weights anew; `weight` and `bias` as torch's layer does, draw for draw."""
        super().reset_parameters()
        if "coord_weight" in self._parameters:
            self._reset_coordinates()

    def _reset_coordinates(self) -> None:
        """Draw `coord_weight` within torch's bound for `weight`, leaving torch's own draws alone.

        The seed comes from a twin of the random generator, so layers and plain convolutions that
        are built after this one start equal whether or not this one has coordinates.
        """
        device = self.weight.device
        if device.type == "meta" or isinstance(self.weight, FakeTensor):
            return
        on_gpu = device.type == "cuda"
        twin = torch.Generator(device if on_gpu else "cpu")
        twin.set_state(torch.cuda.get_rng_state(device) if on_gpu else torch.get_rng_state())
        seed = int(torch.randint(2**62, (), generator=twin, device=twin.device))
        bound = 1 / math.sqrt(max(self.weight[0].numel(), 1))
        draws = torch.empty(self.coord_weight.shape, dtype=torch.float32, device="cpu")
        draws.uniform_(-bound, bound, generator=torch.Generator("cpu").manual_seed(seed))
        with torch.no_grad():
            self.coord_weight.copy_(draws)

    def coordinate_map(
        self,
        spatial_shape: Sequence[int],
        *,
        dtype: torch.dtype | None = None,
        output_padding: Sequence[int] | None = None,
    ) -> Tensor:
        """Compute what coordinates and bias add to the output of any input of that size.

        It is the same for every image: `forward` is the convolution of the input with `weight`
        and no bias, plus this. With gradients disabled the result of the last call is kept while
        size, type, settings and the values of the weights stay the same: do not write into it.

        Args:
            spatial_shape: The input's spatial shape, in pixels.
            dtype: Type of the result, by default the weights'. It is computed in the weights'
                type, under autocast too.
            output_padding: Extra pixels of a transposed convolution's output, by default the
                layer's own.

        Returns:
            Shape (1, out_channels, *output's spatial shape), on the weights' device.
        """
        shape = tuple(spatial_shape)
        padding = tuple(self.output_padding if output_padding is None else output_padding)
        dtype = dtype or self.coord_weight.dtype
        if not self._is_map_kept():
            return self._make_map(shape, padding).to(dtype)
        key = (shape, padding, dtype, self._settings())
        weights = (self.coord_weight, self.bias)
        kept = self._kept  # read once: other threads may replace it
        if kept is None or not kept.is_for(key, weights):
            with torch.inference_mode(False), torch.no_grad():  # of use in training too
                kept = KeptMap(key, weights, lambda: self._make_map(shape, padding).to(dtype))
                self._kept = kept
        return kept.value

    def _settings(self) -> tuple[object, ...]:
        """Return what a map depends on beside sizes and weights; users may change it any time."""
        geometry = (self.stride, self.padding, self.padding_mode, self.dilation)
        return (*geometry, self.radius, self.shuffle_seed)

    def _is_map_kept(self) -> bool:
        """Tell whether to keep maps: where comparing the weights' values is cheap and possible.

        On a GPU the comparison would make the host wait, which costs more than the map.
        """
        return (
            not torch.is_grad_enabled()
            and self.coord_weight.device.type == "cpu"
            and type(self.coord_weight) is nn.Parameter
            and (self.bias is None or type(self.bias) is nn.Parameter)
            and not is_recording()
            and not self._is_blind()
            and self._is_map_torchs()
        )

    def _is_map_torchs(self) -> bool:
        """Tell whether nobody else has a say in the map, as by a subclass that adds noise to it."""
        return not any(name in self.__dict__ for name in _OF_THE_MAP) and all(
            str(getattr(type(self), name).__module__).split(".")[0] in ("torch", "coordconv_rl")
            for name in _OF_THE_MAP
        )

    def _is_blind(self) -> bool:
        """Tell whether this thread leaves out coordinates; a compiled graph knows no threads."""
        threads = self._blind_in
        return bool(threads) and (torch.compiler.is_compiling() or threading.get_ident() in threads)

    def _make_map(self, spatial_shape: tuple[int, ...], output_padding: tuple[int, ...]) -> Tensor:
        weight = torch.zeros_like(self.coord_weight) if self._is_blind() else self.coord_weight
        grid = self._grid.get(
            spatial_shape,
            radius=self.radius,
            shuffle_seed=self.shuffle_seed,
            dtype=weight.dtype,
            device=weight.device,
        )
        with _without_autocast(weight.device.type):
            return self._convolve(grid, weight, self.bias, list(output_padding))

    def _convolve(
        self, input: Tensor, weight: Tensor, bias: Tensor | None, output_padding: list[int]
    ) -> Tensor:
        """Convolve as torch's layer does, with other weights."""
        return self._conv_forward(input, weight, bias)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve the input together with its pixels' coordinates.

        Args:
            input: Shape (N, in_channels, *spatial) or (in_channels, *spatial).

        Returns:
            The shape and type that torch's layer returns.
        """
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            return self._concatenated(input, [])
        return self._forward(input)

    def _padding_of(self, input: Tensor, output_size: list[int] | None = None) -> list[int]:
        """Return the extra pixels of a transposed convolution's output; others have none."""
        return []

    def _forward(self, input: Any, *more: Any) -> Tensor:
        """Compute in Python with the coordinates' map, or add a step to a graph of torch.fx.

        Args:
            input: As in `forward`.
            *more: What else `forward` was called with.
        """
        if isinstance(input, torch.fx.Proxy):
            return self._record(input, *more)  # type: ignore[no-any-return]
        padding = self._padding_of(input, *more)
        output = self._convolve(input, self.weight, None, padding)
        shape = input.shape[-len(self.kernel_size) :]
        added = self.coordinate_map(shape, dtype=output.dtype, output_padding=padding)
        return add_to_each(output, added)

    def _record(self, input: Any, *more: Any) -> Any:
        """Add the layer to a graph of torch.fx, as one step unless the graph is the layer's own."""
        tracer = input.tracer
        if tracer.root is self:
            return self._concatenated(input, self._padding_of(input, *more))
        return tracer.create_proxy("call_module", tracer.path_of_module(self), (input, *more), {})

    def _concatenated(self, input: Tensor, output_padding: list[int]) -> Tensor:
        """Compute the same as one function of the input, for torch.fx and TorchScript."""
        axes, weight = len(self.kernel_size), self.coord_weight
        grid = channels_like(input, axes, self.radius, self.shuffle_seed, weight.dtype)
        own = self._convolve(input, self.weight, None, output_padding)
        return own + self._convolve(grid, weight, self.bias, output_padding)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._grid, self._kept = CoordinateGrid(), None
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None, "_blind_in": set()}

    def __deepcopy__(self, memo: dict[int, Any]) -> "CoordConvNd":
        refuse_fusion()
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        kind = CoordConvNd if is_parametrized(self) else type(self)  # the former refuse pickle
        state = copy.deepcopy(kind.__getstate__(self), memo)
        twin.__setstate__(state)  # type: ignore[no-untyped-call]  # a subclass may have its own
        return twin

    def extra_repr(self) -> str:
        """Show the options in `repr`."""
        options = f", radius={self.radius}, shuffle_seed={self.shuffle_seed}"
        return f"{super().extra_repr()}{options}"  # type: ignore[no-untyped-call]


_OF_THE_MAP = ("_conv_forward", "_convolve")


def _without_autocast(device: str) -> AbstractContextManager[None]:
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()
