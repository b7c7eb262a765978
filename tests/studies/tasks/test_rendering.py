from __future__ import annotations

import pytest
import torch

from coordconv_rl.studies.tasks import rendering
from coordconv_rl.studies.tasks.data import squares
from coordconv_rl.studies.tasks.networks import penalised_kernels


def test_judge_of_rendering_is_intersection_over_union():
    # Squares shifted by one pixel share 72 pixels of 90.
    logits = squares(torch.tensor([[20, 20], [21, 20]])) * 2 - 1
    targets = squares(torch.tensor([[20, 20], [20, 20]]))
    assert rendering.judge(logits, targets).tolist() == pytest.approx([1.0, 72 / 90])


def test_sharpened_logits_sum_to_64_and_the_highest_wins():
    logits = torch.zeros(2, 1, 64, 64)
    logits[1, 0, 3, 7] = 40.0
    flat, peak = rendering.Sharpen()(logits)
    torch.testing.assert_close(flat, torch.full((1, 64, 64), 64 / 4096))
    assert peak[0, 3, 7].item() == pytest.approx(64, rel=1e-4)


def test_the_network_finds_a_centre_and_paints_around_it():
    network = rendering.build(
        "coordconv", "quadrant", rendering.settings("coordconv", "quadrant", full=False)[0], 0
    )
    painting = sum(a * b * 9 + b for a, b in ((1, 8), (8, 8), (8, 16), (16, 16), (16, 1)))
    assert sum(p.numel() for p in network.parameters()) == 7553 + painting
    assert all(kernel.shape[2:] == (1, 1) for kernel in penalised_kernels(network))
    # The painting alone moves with the centre: what is 11 pixels away from it looks alike.
    lit = torch.zeros(2, 1, 64, 64)
    lit[0, 0, 20, 20] = lit[1, 0, 27, 31] = 64.0
    one, other = network[2](lit)
    torch.testing.assert_close(one[:, 10:31, 10:31], other[:, 17:38, 21:42])
