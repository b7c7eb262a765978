from __future__ import annotations

import pytest
import torch

from coordconv_rl.studies.tasks import coordinate_regression as regression
from coordconv_rl.studies.tasks.data import (
    normalise_positions,
)


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_regression_has_about_900_parameters():
    # 3*8+8 + 2*(8*8+8) + 9*8*8+8 + 9*8*2+2
    network = regression.build("coordconv", "uniform", regression.COORDCONV[0], 0)
    assert count(network) == 906


def test_judge_of_regression_is_a_distance_in_pixels():
    outputs = normalise_positions(torch.tensor([[10, 10]]))
    targets = normalise_positions(torch.tensor([[13, 14]]))
    assert regression.judge(outputs, targets).item() == pytest.approx(5, abs=1e-4)
