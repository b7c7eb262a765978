from __future__ import annotations

import pytest
import torch

from coordconv_rl.studies.tasks import rendering
from coordconv_rl.studies.tasks.data import (
    squares,
)


def test_judge_of_rendering_is_intersection_over_union():
    # Squares shifted by one pixel share 72 pixels of 90.
    logits = squares(torch.tensor([[20, 20], [21, 20]])) * 2 - 1
    targets = squares(torch.tensor([[20, 20], [20, 20]]))
    assert rendering.judge(logits, targets).tolist() == pytest.approx([1.0, 72 / 90])
