"""Numbers for mode collapse: how much of what is real does a generator produce?

By joint positions of the two objects, which are all that varies much in these images; and in pixel
space by precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991) and density and coverage
(Naeem et al. 2020, arXiv 2002.09797), whose k of 5 neighbours is used for all four.
"""

from __future__ import annotations

import torch
from torch import Tensor

from coordconv_rl.studies.tasks.shapes import CELLS, joint_cells

NEIGHBOURS = 5  # Naeem et al. 2020, section 3
EVEN_DRAWS = 250  # images with both objects that models are compared by, however many they have


def joint_counts(images: Tensor) -> Tensor:
    """Count the images in each joint cell: shape (256,); those without both objects in none."""
    return torch.bincount(joint_cells(images), minlength=CELLS**4)


def entropy_bits(counts: Tensor) -> float:
    """Measure the entropy of a histogram in bits; 0 for an empty one."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * shares.log2()).sum()) + 0.0  # no negative zero


def joint_coverage(counts: Tensor, real: Tensor) -> float:
    """Give the share of the cells with real images that have a generated one too."""
    return float(((counts > 0) & (real > 0)).sum() / (real > 0).sum())


def even_coverage(counts: Tensor, real: Tensor, draws: int) -> float:
    """Give the joint coverage that `draws` of the generated images with both objects would have.

    `joint_coverage` grows with the number of images that have both objects; from `draws` on this
    one does not, so that models with more and with fewer such images compare. It is the mean over
    all draws without replacement: a cell with c of n images is missed by the share
    C(n - c, draws) / C(n, draws) of them. With fewer than `draws` images it is the coverage of
    those there are.
    """
    n = counts.sum().double()
    k = n.clamp(max=draws)
    left = n - counts[real > 0].double()
    ways = (left.clamp(min=k.item()) + 1).lgamma() - ((left - k).clamp(min=0) + 1).lgamma()
    ways = ways - (n + 1).lgamma() + (n - k + 1).lgamma()
    missed = torch.where(left < k, 0.0, ways.exp())
    return float((1 - missed).mean())


def neighbour_radius(points: Tensor) -> Tensor:
    """Measure each point's distance to its 5th neighbour: (n, d) to (n,); n of 6 at least."""
    # The nearest is the point itself.
    return torch.cdist(points, points).kthvalue(NEIGHBOURS + 1, dim=1).values


def pixel_measures(images: Tensor, real: Tensor) -> dict[str, float]:
    """Compare generated with real images by the balls around each that reach its 5th neighbour.

    Args:
        images: Generated, shape (n, ...); at least 6.
        real: Shape (m, ...); at least 6.

    Returns:
        precision: Share of the generated that lie in a real one's ball.
        recall: Share of the real that lie in a generated one's ball.
        density: Real balls around a generated one, over 5: 1 on average for real images.
        coverage: Share of the real balls with a generated one in them.
    """
    ours, theirs = images.flatten(1).float(), real.flatten(1).float()
    distance = torch.cdist(theirs, ours)  # (m, n)
    in_real = distance < neighbour_radius(theirs)[:, None]
    in_generated = distance < neighbour_radius(ours)[None]
    return {
        "precision": float(in_real.any(0).float().mean()),
        "recall": float(in_generated.any(1).float().mean()),
        "density": float(in_real.sum(0).float().mean() / NEIGHBOURS),
        "coverage": float(in_real.any(1).float().mean()),
    }


def collapse_measures(images: Tensor, real: Tensor) -> dict[str, float]:
    """Collect all numbers for generated images against real ones, each (n, 3, side, side)."""
    counts = joint_counts(images)
    return {
        "both objects": float(counts.sum() / len(images)),
        "joint entropy (bits)": entropy_bits(counts),
        "joint coverage": joint_coverage(counts, joint_counts(real)),
        f"joint coverage of {EVEN_DRAWS}": even_coverage(counts, joint_counts(real), EVEN_DRAWS),
        **pixel_measures(images, real),
    }
