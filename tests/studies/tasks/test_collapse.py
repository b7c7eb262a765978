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


def test_even_coverage_is_the_mean_over_all_draws_of_as_many_images():
    counts, real = torch.tensor([2, 1, 1, 0]), torch.tensor([5, 1, 0, 1])
    # Two of four images miss the first cell in C(2, 2) of C(4, 2) draws, the second in C(3, 2).
    assert collapse.even_coverage(counts, real, 2) == pytest.approx(
        ((1 - 1 / 6) + (1 - 3 / 6) + 0) / 3
    )
    assert collapse.even_coverage(counts, real, 1) == pytest.approx((2 / 4 + 1 / 4) / 3)
    assert collapse.even_coverage(counts, real, 4) == pytest.approx(2 / 3)  # all there are
    assert collapse.even_coverage(counts, real, 250) == pytest.approx(2 / 3)
    assert collapse.even_coverage(torch.zeros(4, dtype=torch.int64), real, 250) == 0


def test_even_coverage_does_not_grow_with_the_images_that_count():
    real = collapse.joint_counts(make_shapes(1000, 32, 0))
    all_of_them, half = (collapse.joint_counts(make_shapes(n, 32, 1)) for n in (1000, 500))
    even = [collapse.even_coverage(counts, real, 250) for counts in (all_of_them, half)]
    assert even[0] == pytest.approx(even[1], abs=0.02)
    plain = [collapse.joint_coverage(counts, real) for counts in (all_of_them, half)]
    assert plain[0] > plain[1] + 0.05


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
