"""Images of two objects: what is painted is found again, and specks are not."""

from __future__ import annotations

import pytest
import torch

from coordconv_rl.studies.tasks import shapes

CENTRES = torch.tensor([[[20, 30], [45, 12]]])  # red at x 20, y 30; blue at x 45, y 12


@pytest.mark.parametrize(("side", "radius"), [(64, 10), (32, 5)])
def test_objects_are_20_pixels_of_64(side, radius):
    centre = torch.tensor([[[8, 8], [22, 20]]]) * side // 32
    image = shapes.paint_shapes(centre, torch.tensor([[False, False]]), side)[0]
    assert shapes.radius_of(side) == radius
    for colour in (shapes.RED, shapes.BLUE):
        painted = (image == torch.tensor(colour)[:, None, None]).all(0)
        assert painted.sum() == (2 * radius) ** 2
        assert painted.any(0).sum() == painted.any(1).sum() == 2 * radius


def test_a_disc_is_round():
    image = shapes.paint_shapes(CENTRES, torch.tensor([[True, False]]), 64)[0]
    red = image[1] == -1
    red &= image[0] == 1
    assert red[30, 10]  # row y, column x: 10 pixels to the left, at half a row
    assert not red[20, 10]  # a square's corner
    assert abs(int(red.sum()) - 314) < 10  # pi r^2


def test_centres_lie_everywhere_but_no_frames_overlap():
    centres = shapes.draw_centres(4000, 64, torch.Generator().manual_seed(0))
    assert centres.shape == (4000, 2, 2)
    assert (centres.min(), centres.max()) == (10, 54)
    assert ((centres[:, 0] - centres[:, 1]).abs().amax(1) >= 20).all()


@pytest.mark.parametrize("side", [32, 64])
def test_what_is_painted_is_found_again(side):
    centres = shapes.draw_centres(200, side, torch.Generator().manual_seed(1))
    is_disc = torch.arange(400).view(200, 2) % 3 == 0
    found = shapes.find_centres(shapes.paint_shapes(centres, is_disc, side))
    torch.testing.assert_close(found, centres.float())


def wrong_images():
    image = shapes.paint_shapes(CENTRES, torch.tensor([[False, False]]), 64)
    speck, flood, twice, grey = (image.clone() for _ in range(4))
    red = torch.tensor(shapes.RED)[:, None, None]
    speck[0, :, 20:40, 10:30] = 1.0
    speck[0, :, 30:33, 20:23] = red
    flood[0, :, 24:64, 0:64] = red
    twice[0, :, 20:40, 10:30] = 1.0  # as many pixels as one, in two places
    twice[0, :, 40:50, 0:10] = twice[0, :, 40:50, 54:64] = red
    twice[0, :, 52:62, 0:10] = red
    grey[0, :, 20:40, 10:30] = -1.0
    return {"speck": speck, "flood": flood, "twice": twice, "grey": grey}


@pytest.mark.parametrize("name", ["speck", "flood", "twice", "grey"])
def test_what_is_no_object_is_not_found(name):
    found = shapes.find_centres(wrong_images()[name])
    assert found[0, 0].isnan().all()
    assert found[0, 1].tolist() == [45, 12]


def test_joint_cells_number_both_positions():
    # A centre's range of 10 to 54 has cells of 11 pixels.
    corners = torch.tensor([[[10, 10], [54, 54]], [[21, 10], [10, 43]]])
    images = shapes.paint_shapes(corners, torch.zeros(2, 2, dtype=torch.bool), 64)
    images = torch.cat([images, torch.ones(1, 3, 64, 64)])  # an empty one does not count
    assert shapes.joint_cells(images).tolist() == [0 * 64 + 0 * 16 + 3 * 4 + 3, 64 + 0 + 0 + 3]


def test_the_seed_decides():
    one, again, other = (shapes.make_shapes(5, 32, seed) for seed in (0, 0, 1))
    assert one.shape == (5, 3, 32, 32)
    assert one.equal(again)
    assert not one.equal(other)
