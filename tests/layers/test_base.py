"""What users of torch do to a layer: the right values, compared with AddCoords and `nn.Conv2d`."""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from concatenation import classical
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

from coordconv_rl.errors import InputError
from coordconv_rl.layers import CoordConv2d, CoordConvTranspose2d, coordinate_channels

close = torch.testing.assert_close


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad])
def test_threads_share_a_layer_whatever_their_image_sizes(mode: Any) -> None:
    layer = CoordConv2d(2, 3, 3, radius=True)
    images = [torch.rand(2, 2, 4 + i, 9 - i) for i in range(5)] * 60
    twin = classical(layer)
    with torch.no_grad():
        wanted = [twin(image) for image in images]

    def compute(image: Tensor) -> Tensor:
        with mode():
            return layer(image).detach()

    with ThreadPoolExecutor(8) as pool:
        for found, right in zip(pool.map(compute, images), wanted, strict=True):
            close(found, right)


CHANGES: list[dict[str, Any]] = [
    {"padding": (2, 0), "_reversed_padding_repeated_twice": [0, 0, 2, 2]},
    {"stride": (1, 2)},
    {"dilation": (2, 1)},
    {"padding_mode": "circular"},
    {"shuffle_seed": 3},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_kept_map_follows_a_change_of_settings(change: dict[str, Any]) -> None:
    layer, x = CoordConv2d(2, 3, 3, padding=1), torch.rand(2, 2, 7, 7)
    with torch.no_grad():
        layer(x)
        for name, value in change.items():
            setattr(layer, name, value)
        found = layer(x)
    assert torch.equal(found, layer(x))
    names = ("stride", "padding", "dilation", "padding_mode")
    close(found, classical(layer, **{name: getattr(layer, name) for name in names})(x))


def test_numpy_integers_are_integers() -> None:
    torch.manual_seed(0)
    number = np.int64
    layer = CoordConv2d(
        number(2), number(3), (number(3), 2), stride=number(1), padding=(number(1), number(0)),
        dilation=number(1), groups=number(1), shuffle_seed=number(5),
    )  # fmt: skip
    torch.manual_seed(0)
    plain = CoordConv2d(2, 3, (3, 2), padding=(1, 0), shuffle_seed=5)
    assert repr(layer) == repr(plain)
    assert type(layer.shuffle_seed) is type(layer.in_channels) is type(layer.kernel_size[0]) is int
    x = torch.rand(2, 2, 5, 5)
    assert torch.equal(layer(x), plain(x))
    assert torch.equal(
        coordinate_channels((np.int64(3), np.int32(4)), shuffle_seed=np.int64(1)),
        coordinate_channels((3, 4), shuffle_seed=1),
    )
    with pytest.raises(InputError, match=r"shuffle_seed is 0\.5: use an integer"):
        CoordConv2d(2, 3, 3, shuffle_seed=0.5)  # type: ignore[arg-type]


REPARAMETRIZED = {
    "prune coordinates": lambda layer: prune.l1_unstructured(layer, "coord_weight", 0.5),
    "prune weight": lambda layer: prune.random_unstructured(layer, "weight", 0.5),
    "prune bias": lambda layer: prune.l1_unstructured(layer, "bias", 0.5),
    "prune structured": lambda layer: prune.ln_structured(layer, "coord_weight", 0.5, n=2, dim=0),
    "old weight norm": lambda layer: weight_norm(layer, "coord_weight"),
    "old weight norm of weight": lambda layer: weight_norm(layer, "weight"),
    "old spectral norm": lambda layer: spectral_norm(layer, "coord_weight"),
    "weight norm": lambda layer: parametrizations.weight_norm(layer, "coord_weight"),
    "spectral norm": lambda layer: parametrizations.spectral_norm(layer, "coord_weight"),
    "bias": lambda layer: parametrize.register_parametrization(layer, "bias", nn.Tanh()),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*")
@pytest.mark.parametrize("how", REPARAMETRIZED)
def test_pruned_and_normalised_weights_compute_and_train_right(how: str) -> None:
    torch.manual_seed(0)
    layer, x = CoordConv2d(2, 3, 3).double(), torch.rand(2, 2, 5, 6, dtype=torch.float64)
    with torch.no_grad():
        layer(x)  # a map is kept that must not be used
    REPARAMETRIZED[how](layer)
    layer.eval()  # spectral norm's estimates stand still
    for _ in range(2):
        with torch.no_grad():
            found = [layer(x), layer(x)]
        grid = coordinate_channels((5, 6), dtype=torch.float64).expand(2, -1, -1, -1)
        joined = torch.cat([x, grid], 1)
        layer(x)  # what hooks compute from the parameters
        wanted = nn.functional.conv2d(
            joined, torch.cat([layer.weight, layer.coord_weight], 1), layer.bias
        )
        for output in found:
            close(output, wanted)
        parameters = tuple(layer.parameters())
        right = torch.autograd.grad(wanted.square().sum(), parameters)
        for ours, theirs in zip(
            torch.autograd.grad(layer(x).square().sum(), parameters), right, strict=True
        ):
            close(ours, theirs)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, right, strict=True):
                parameter.sub_(gradient, alpha=0.01)


def test_a_removed_mask_leaves_a_kept_map_right() -> None:
    layer, x = CoordConv2d(2, 3, 3), torch.rand(2, 2, 5, 6)
    prune.l1_unstructured(layer, "coord_weight", 0.5)
    prune.remove(layer, "coord_weight")
    assert type(layer.coord_weight) is nn.Parameter
    with torch.no_grad():
        close(layer(x), classical(layer)(x))
        layer.coord_weight.mul_(2)
        close(layer(x), classical(layer)(x))


@pytest.mark.parametrize("channels_last", [False, True])
def test_gradient_penalty(channels_last: bool) -> None:
    layer = CoordConv2d(2, 3, 3, radius=True, dtype=torch.float64)
    twin, x = classical(layer), torch.rand(4, 2, 5, 6, dtype=torch.float64)
    if channels_last:
        x = x.to(memory_format=torch.channels_last)
    gradients = []
    for network in (layer, twin):
        z = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(network(z).tanh().sum(), z, create_graph=True)
        slope.flatten(1).norm(dim=1).sub(1).square().sum().backward()
        gradients.append([p.grad for p in network.parameters()])
    (weight, bias, coordinates), (joined, bias_of_twin) = gradients
    close(torch.cat([weight, coordinates], 1), joined)
    close(bias, bias_of_twin)


@pytest.mark.parametrize("kind", [CoordConv2d, CoordConvTranspose2d])
def test_fake_tensors_know_shapes_only(kind: Any) -> None:
    real, x = kind(2, 3, 3), torch.rand(2, 2, 5, 6)
    with torch.no_grad():
        shape = real(x).shape
        with FakeTensorMode(allow_non_fake_inputs=True) as mode:
            assert kind(2, 3, 3)(torch.rand(2, 2, 5, 6)).shape == shape
            assert real(mode.from_tensor(x)).shape == shape
        assert real(x).shape == shape


def test_many_models_at_once_by_vmap() -> None:
    layers, x = [CoordConv2d(2, 3, 3, radius=True) for _ in range(3)], torch.rand(2, 2, 5, 6)
    weights, _ = torch.func.stack_module_state(layers)
    with torch.no_grad():
        wanted = torch.stack([layer(x) for layer in layers])
        found = torch.func.vmap(lambda w: torch.func.functional_call(layers[0], w, (x,)))(weights)
    close(found, wanted)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad])
def test_forward_mode_derivatives(mode: Any) -> None:
    layer, x = CoordConv2d(2, 3, 3), torch.rand(2, 2, 5, 6)
    weights = {name: p.detach() for name, p in layer.named_parameters()}
    ones = {name: torch.ones_like(w) for name, w in weights.items()}
    with mode():
        layer(x)

        def call(w: dict[str, Tensor], x: Tensor) -> Tensor:
            return torch.func.functional_call(layer, w, (x,))

        found, slope = torch.func.jvp(call, (weights, x), (ones, torch.ones_like(x)))
    channels = torch.cat([x, coordinate_channels((5, 6)).expand(2, -1, -1, -1)], 1)
    rise = nn.functional.conv2d(channels, torch.ones(3, 4, 3, 3), torch.ones(3))
    close(found, layer(x))
    close(slope, rise + nn.functional.conv2d(torch.ones_like(x), layer.weight))


class Noisy(CoordConv2d):
    gain = 1.0

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Any) -> Tensor:
        return super()._conv_forward(input, weight * self.gain, bias)


def test_a_subclass_that_changes_weights_on_the_way_is_asked_each_time() -> None:
    layer, image = Noisy(1, 4, 3), torch.zeros(1, 1, 6, 6)
    with torch.no_grad():
        layer(image)
        layer.gain = 3.0
        found = layer(image)
    close(found, layer(image).detach())
    plain = CoordConv2d(1, 4, 3)
    with torch.no_grad():
        before = plain(image)
        plain._conv_forward = lambda *_: torch.ones(1, 4, 4, 4)  # type: ignore[method-assign]
        assert not torch.equal(plain(image), before)
        close(plain(image), torch.full((1, 4, 4, 4), 2.0))


class Locked(CoordConv2d):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.lock = threading.Lock()


def test_a_copy_is_made_as_the_class_says() -> None:
    layer, image = Locked(2, 3, 3), torch.rand(1, 2, 6, 6)
    twin = copy.deepcopy(layer)
    assert twin.lock is not layer.lock
    close(twin(image), layer(image))
    assert twin.weight is not layer.weight
