"""Generators and discriminators: their sizes, and the shortcut over the spread noise."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coordconv_rl.layers import CoordConv2d
from coordconv_rl.studies.tasks import adversaries

MODELS = ("coordconv", "convolution", "shuffled")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("side", [16, 32, 64])
def test_images_and_verdicts_have_their_shapes(model, side):
    network = adversaries.Adversaries(model, side, 4, 0)
    images = network(torch.rand(3, 256))
    assert images.shape == (3, 3, side, side)
    assert network.discriminator(images).shape == (3, 1)


def test_the_authors_sizes():
    generator = adversaries.coordinate_generator("coordconv", 64, 64, 0)
    kernels = [
        (m.in_channels, m.out_channels, m.kernel_size[0])
        for m in generator.modules()
        if isinstance(m, nn.Conv2d)
    ]
    assert kernels == [
        (256, 512, 1), (512, 256, 1), (256, 256, 1), (256, 128, 1), (128, 64, 1),
        (64, 64, 3), (64, 64, 3), (64, 3, 1),
    ]  # fmt: skip
    layers = adversaries.deconvolution_generator(64, 64)
    sizes = [(m.in_channels, m.out_channels) for m in layers if isinstance(m, nn.ConvTranspose2d)]
    assert sizes == [(512, 256), (256, 128), (128, 64), (64, 3)]
    judge = adversaries.make_discriminator("coordconv", 64, 64, 0, normalised=True)
    sizes = [(m.in_channels, m.out_channels) for m in judge if isinstance(m, nn.Conv2d)]
    assert sizes == [(3, 64), (64, 128), (128, 256), (256, 512)]
    assert judge[-1].in_features == 4 * 4 * 512


def test_noise_over_the_canvas_is_a_convolution_of_noise_at_every_pixel():
    torch.manual_seed(0)
    layer = adversaries.NoiseOverCanvas(5, 8, shuffle_seed=None)
    noise = torch.rand(2, 256)
    whole = layer.layer(noise[:, :, None, None].expand(-1, -1, 8, 8))
    torch.testing.assert_close(layer(noise), whole)


def test_models_differ_in_coordinates_alone():
    ours, control = (adversaries.Adversaries(m, 32, 4, 0) for m in ("coordconv", "shuffled"))
    control.load_state_dict(ours.state_dict())
    noise = torch.rand(2, 256)
    assert not ours(noise).allclose(control(noise))
    plain = adversaries.Adversaries("convolution", 32, 4, 0)
    assert not any(isinstance(m, CoordConv2d) for m in plain.modules())
    ours_first, plain_first = ours.discriminator[0], plain.discriminator[0]
    assert ours_first.weight.shape == plain_first.weight.shape
