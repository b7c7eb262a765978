"""Numbers for mode collapse against cases with known answers."""

from __future__ import annotations

import math

import pytest
import torch

from coordconv_rl.studies.tasks import collapse
from coordconv_rl.studies.tasks.shapes import make_shapes


def line(*values):
    """Points on a line, as images of one pixel."""
    return torch.tensor(values, dtype=torch.float32)[:, None]


def test_entropy_in_bits():
    assert collapse.entropy_bits(torch.tensor([5, 5, 0, 5, 5])) == pytest.approx(2)
    assert collapse.entropy_bits(torch.tensor([9, 0])) == 0
    assert collapse.entropy_bits(torch.zeros(4, dtype=torch.int64)) == 0
    third = collapse.entropy_bits(torch.tensor([1, 2]))
    assert third == pytest.approx(math.log2(3) - 2 / 3)


def test_joint_coverage_counts_only_cells_that_are_real():
    counts, real = torch.tensor([3, 0, 1, 4]), torch.tensor([1, 2, 0, 5])
    assert collapse.joint_coverage(counts, real) == pytest.approx(2 / 3)


def test_neighbour_radius_is_the_distance_to_the_fifth():
    assert collapse.neighbour_radius(line(0, 1, 3, 6, 10, 15, 100)).tolist() == [
        15, 14, 12, 9, 10, 15, 99,
    ]  # fmt: skip


def test_pixel_measures_by_hand():
    real = line(0, 1, 2, 3, 4, 5)  # radii 5, 4, 3, 3, 4, 5
    ours = line(2.5, 2.5, 2.5, 2.5, 2.5, 40.0)  # radii 37.5 for all: the sixth is the farthest
    measures = collapse.pixel_measures(ours, real)
    assert measures["precision"] == pytest.approx(5 / 6)
    # All six real balls hold 2.5; none holds 40.
    assert measures["density"] == pytest.approx(5 * 6 / (5 * 6))
    assert measures["coverage"] == 1
    assert measures["recall"] == 1


def test_a_collapsed_generator_is_precise_and_covers_little():
    real, held_out = make_shapes(300, 32, 0), make_shapes(300, 32, 1)
    good = collapse.collapse_measures(held_out, real)
    bad = collapse.collapse_measures(held_out[:1].expand(300, -1, -1, -1), real)
    assert good["both objects"] == bad["both objects"] == 1
    assert good["precision"] > 0.9
    assert good["density"] == pytest.approx(1, abs=0.15)
    assert (good["coverage"], good["recall"]) > (0.9, 0.9)
    assert bad["coverage"] < 0.1
    assert bad["recall"] == 0
    assert bad["joint entropy (bits)"] == 0
    assert bad["joint coverage"] < 0.02 < 0.5 < good["joint coverage"]
    assert good["joint entropy (bits)"] > 6


def test_noise_has_none_of_it():
    noise = 2 * torch.rand(50, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 1
    measures = collapse.collapse_measures(noise, make_shapes(50, 32, 0))
    assert set(measures.values()) == {0.0}
