"""CoordConv for reinforcement learning agents: layers, SB3 extractors, Atari, comparisons.

Names are imported when first used, so that commands which need no torch start fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coordconv_rl.algorithms import FastA2C as FastA2C
    from coordconv_rl.algorithms import FastPPO as FastPPO
    from coordconv_rl.buffers import DeviceRolloutBuffer as DeviceRolloutBuffer
    from coordconv_rl.convert import add_coordinates as add_coordinates
    from coordconv_rl.envs.atari import AtariVecEnv as AtariVecEnv
    from coordconv_rl.extractors import CoordConvCombinedExtractor as CoordConvCombinedExtractor
    from coordconv_rl.extractors import CoordConvExtractor as CoordConvExtractor
    from coordconv_rl.layers import AddCoords as AddCoords
    from coordconv_rl.layers import CoordConv1d as CoordConv1d
    from coordconv_rl.layers import CoordConv2d as CoordConv2d
    from coordconv_rl.layers import CoordConv3d as CoordConv3d
    from coordconv_rl.layers import CoordConvTranspose2d as CoordConvTranspose2d
    from coordconv_rl.policies import CoordConvPolicy as CoordConvPolicy

__version__ = "0.1.0"

_HOMES = {
    "AddCoords": "layers",
    "AtariVecEnv": "envs.atari",
    "CoordConv1d": "layers",
    "CoordConv2d": "layers",
    "CoordConv3d": "layers",
    "CoordConvCombinedExtractor": "extractors",
    "CoordConvExtractor": "extractors",
    "CoordConvPolicy": "policies",
    "CoordConvTranspose2d": "layers",
    "DeviceRolloutBuffer": "buffers",
    "FastA2C": "algorithms",
    "FastPPO": "algorithms",
    "add_coordinates": "convert",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
