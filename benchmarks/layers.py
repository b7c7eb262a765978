"""One forward and backward pass of the policy networks, all variants interleaved in a process."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticCnnPolicy, ActorCriticPolicy
from stable_baselines3.common.torch_layers import NatureCNN
from torch import Tensor, nn

from coordconv_rl.agents.build import policy_settings
from coordconv_rl.arms import get_arm
from coordconv_rl.sb3.extractors import CoordConvExtractor
from coordconv_rl.sb3.policy import CoordConvPolicy

IMAGE = spaces.Box(0, 255, (4, 84, 84), np.uint8)
ACTIONS = spaces.Discrete(4)  # Breakout's
WARM_UPS = 2


class Concatenating(nn.Module):
    """CoordConv as usually written: coordinates are concatenated to each batch.

    Args:
        convolution: The plain convolution that this stands for.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            convolution.in_channels + 2,
            convolution.out_channels,
            convolution.kernel_size,
            convolution.stride,
        )

    def forward(self, images: Tensor) -> Tensor:
        """Convolve images, shape (N, C, H, W), with x and y beside their own channels."""
        count, _, height, width = images.shape
        options: dict[str, Any] = {"dtype": images.dtype, "device": images.device}
        y = torch.linspace(-1, 1, height, **options).view(1, 1, -1, 1)
        x = torch.linspace(-1, 1, width, **options).view(1, 1, 1, -1)
        shape = (count, 1, height, width)
        return self.convolution(torch.cat([images, x.expand(shape), y.expand(shape)], 1))


class ConcatenatingExtractor(NatureCNN):
    """SB3's NatureCNN whose first convolution, or all, concatenate coordinates.

    Args:
        observation_space: Images (4, 84, 84).
        everywhere: Whether all convolutions do.
        features_dim: Number of features.
    """

    def __init__(
        self, observation_space: spaces.Box, everywhere: bool = False, features_dim: int = 512
    ) -> None:
        super().__init__(observation_space, features_dim)
        places = [i for i, m in enumerate(self.cnn) if isinstance(m, nn.Conv2d)]
        for place in places if everywhere else places[:1]:
            self.cnn[place] = Concatenating(self.cnn[place])


STOCK: dict[str, tuple[type[NatureCNN], dict[str, Any]]] = {
    "cnn": (NatureCNN, {}),
    "coordconv": (CoordConvExtractor, {"coords": "first"}),
    "coordconv-all": (CoordConvExtractor, {"coords": "all"}),
    "concatenating": (ConcatenatingExtractor, {}),
    "concatenating-all": (ConcatenatingExtractor, {"everywhere": True}),
}


def make_policy(network: str, precision: str) -> ActorCriticPolicy:
    """Return a policy: stock SB3's for the precision "stock", else ours at that precision."""

    def rate(_: float) -> float:
        return 1e-4

    if precision != "stock" and network in {"cnn", "coordconv", "coordconv-all"}:
        policy, settings = policy_settings(get_arm(network), seed=0, precision=precision)
        return policy(IMAGE, ACTIONS, rate, **settings)
    extractor, options = STOCK[network]
    settings = {"features_extractor_class": extractor, "features_extractor_kwargs": options}
    if precision == "stock":
        return ActorCriticCnnPolicy(IMAGE, ACTIONS, rate, net_arch=[], **settings)
    return CoordConvPolicy(IMAGE, ACTIONS, rate, precision=precision, **settings)


class Layers:
    """All networks of one comparison, with a batch of images.

    Args:
        spec: See `parts.layers`.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self.device = torch.device(spec["device"])
        torch.manual_seed(0)
        size = (spec["batch"], *IMAGE.shape)
        self._images = torch.randint(256, size, dtype=torch.uint8).to(self.device)
        self._actions = torch.randint(ACTIONS.n, (spec["batch"],)).to(self.device)
        self._policies = {
            name: make_policy(name, spec["precision"]).to(self.device) for name in STOCK
        }
        for policy in self._policies.values():
            policy.set_training_mode(True)
            for _ in range(WARM_UPS):
                self._time(policy)

    def _time(self, policy: ActorCriticPolicy) -> float:
        """Return the milliseconds of one forward and backward pass."""
        policy.zero_grad()
        self._wait()
        began = time.perf_counter()
        values, log_probs, entropies = policy.evaluate_actions(self._images, self._actions)
        (values.square().mean() - log_probs.mean() - entropies.mean()).backward()
        self._wait()
        return 1e3 * (time.perf_counter() - began)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def measure(self, seconds: float) -> dict[str, float]:
        """Return each network's median milliseconds, measured pass by pass in turn."""
        times: dict[str, list[float]] = {name: [] for name in self._policies}
        until = time.perf_counter() + seconds * len(times)
        names = list(times)
        while time.perf_counter() < until or not times[names[0]]:
            for name in names:
                times[name].append(self._time(self._policies[name]))
            names = names[1:] + names[:1]
        return {name: median(values) for name, values in times.items()}

    def close(self) -> None:
        """Nothing is open."""
