"""CoordConv for torch, and nothing but torch.

- `arguments`: sizes of all kinds, and what a layer with coordinates cannot have.
- `coordinates`: the coordinate channels of an image size, and the layer that appends them.
- `coordinate_map`: a layer's coordinate map: kept while the weights stand still, added to images.
- `fusion`: why batch normalisation is not folded into a layer, and how torch is told.
- `base`: what the CoordConv layers share.
- `convolutions`: the CoordConv layers, with torch's arguments.
- `convert`: coordinates for the convolutions of a model that exists already.
"""

from coordconv_rl.layers.convert import Conversion, LayerChoice, convolutions_of, give_coordinates
from coordconv_rl.layers.convolutions import (
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
    CoordConvTranspose2d,
)
from coordconv_rl.layers.coordinates import (
    AddCoords,
    CoordinateGrid,
    channels_like,
    coordinate_channels,
)

__all__ = [
    "AddCoords",
    "Conversion",
    "CoordConv1d",
    "CoordConv2d",
    "CoordConv3d",
    "CoordConvTranspose2d",
    "CoordinateGrid",
    "LayerChoice",
    "channels_like",
    "convolutions_of",
    "coordinate_channels",
    "give_coordinates",
]
