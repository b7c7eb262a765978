from .envs import AtariVecEnv
from .layers import (
    AddCoords,
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
    CoordConvTranspose2d,
)
from .sb3 import (
    CoordConvCombinedExtractor,
    CoordConvExtractor,
    CoordConvPolicy,
    DeviceRolloutBuffer,
    FastA2C,
    FastPPO,
    add_coordinates,
)

__version__: str

__all__ = [
    "AddCoords",
    "AtariVecEnv",
    "CoordConv1d",
    "CoordConv2d",
    "CoordConv3d",
    "CoordConvCombinedExtractor",
    "CoordConvExtractor",
    "CoordConvPolicy",
    "CoordConvTranspose2d",
    "DeviceRolloutBuffer",
    "FastA2C",
    "FastPPO",
    "__version__",
    "add_coordinates",
]
