"""What layers are made with: integers of all kinds as Python's, groups and outputs that work."""

import operator
from typing import Any

from coordconv_rl.errors import InputError


def plain_integers(value: Any) -> Any:
    """Turn integers of NumPy and torch, also several, to Python's, as TorchScript and ONNX want."""
    if isinstance(value, tuple | list):
        return (list if isinstance(value, list) else tuple)(map(plain_integers, value))
    if getattr(value, "ndim", 0) and hasattr(value, "tolist"):
        return plain_integers(tuple(value.tolist()))
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        return value
    return operator.index(value)


def check_groups(name: str, groups: int, out_channels: int) -> None:
    """Raise `InputError` for what a convolution with coordinates cannot have.

    Args:
        name: What the error calls the layer.
        groups: Into how many groups its channels fall.
        out_channels: Channels of its output.
    """
    if out_channels == 0:
        raise InputError(f"{name} has no output channels: give at least 1")
    if groups != 1:
        raise InputError(
            f"{name} takes groups=1 only, found groups={groups}: coordinate channels belong to "
            "every group, which a grouped convolution cannot express; put AddCoords and a plain "
            "convolution before it instead"
        )
