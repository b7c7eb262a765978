"""The study of generation: its data, its ceiling, and what its pictures need."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coordconv_rl.errors import InputError
from coordconv_rl.studies import StudyOptions
from coordconv_rl.studies.tasks import generation
from coordconv_rl.studies.tasks.shapes import make_shapes
from coordconv_rl.studies.tasks.study import MODELS, AdversarialSetting


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    size = generation.SIZES["32x32"]._replace(train=30, validation=20, test=40)
    monkeypatch.setitem(generation.SIZES, "32x32", size)


def test_data_is_noise_and_real_images_that_differ_from_part_to_part():
    parts = generation.data("32x32", 0, None)
    assert [len(images) for _, images in parts] == [30, 20, 40]
    for noise, images in parts:
        assert noise.shape == (len(images), 256)
        assert noise.abs().max() <= 1
        assert images.shape[1:] == (3, 32, 32)
    assert not parts.train[1][:20].equal(parts.validation[1])
    assert generation.data("32x32", 0, None).test[1].equal(parts.test[1])


def test_the_size_is_by_the_options(tmp_path):
    assert generation.choose(StudyOptions()) == ("32x32",)
    assert generation.choose(StudyOptions(full=True)) == ("64x64",)
    with pytest.raises(InputError, match="--mnist"):
        generation.choose(StudyOptions(mnist=tmp_path))
    with pytest.raises(InputError, match="holds out no positions"):
        generation.choose(StudyOptions(split="quadrant"))


def test_the_default_size(monkeypatch):
    monkeypatch.undo()  # parts of their own size
    assert generation.SIZES["32x32"] == (32, 4000, 1000, 1000)
    settings = {generation.settings(model, "32x32", False) for model in MODELS}
    ((setting,),) = settings  # the same for all
    assert (setting.learning_rate, setting.batch, setting.epochs) == (1e-3, 16, 12)
    assert -(-5000 // setting.batch) * setting.epochs == 3756  # steps, as docs/studies.md has them
    assert setting.adversarial == AdversarialSetting(1e-3, 0.0, 0.99, 1, penalty=0.1)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in built("32x32").discriminator)


def test_the_papers_size():
    size = generation.SIZES["64x64"]
    (setting,) = generation.settings("convolution", "64x64", True)
    assert (size.side, size.train + size.validation) == (64, 50_000)
    assert (setting.learning_rate, setting.batch, setting.epochs) == (5e-4, 16, 50)
    assert setting.adversarial == AdversarialSetting(1e-4, 0.9, 0.99, 2, penalty=0)
    assert any(isinstance(m, nn.BatchNorm2d) for m in built("64x64").discriminator)
    assert generation.BASE * setting.width == 64


def built(split):
    (setting,) = generation.settings("convolution", split, False)
    return generation.build("convolution", split, setting, 0)


def test_no_verdict_depends_on_other_images_where_each_is_punished_for_its_own_slope():
    judge = built("32x32").discriminator
    images = torch.rand(4, 3, 32, 32)
    torch.testing.assert_close(judge(images)[:1], judge(images[:1]))


def test_judge_is_the_share_of_joint_cells():
    real = make_shapes(40, 32, 0)
    assert generation.judge(real.float(), real).tolist() == [1.0]
    assert generation.judge(real[:1].float(), real).item() < 0.1
    assert generation.judge(torch.ones(40, 3, 32, 32), real).tolist() == [0.0]


def test_the_ceiling_is_real_images_that_nobody_trained_on():
    ceiling = generation.ceiling("32x32", 0)
    assert ceiling["both objects"] == 1
    assert 0 < ceiling["joint coverage"] < 1  # 40 images do not fill the cells
    assert ceiling["precision"] > 0.9
    assert ceiling == generation.ceiling("32x32", 0)


def test_colours_beyond_the_range_are_cut_off():
    real = make_shapes(20, 32, 0)
    assert generation.measures(5 * real.float(), real) == generation.measures(real.float(), real)


def test_images_are_kept_as_bytes():
    colours = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0])
    assert generation.to_bytes(colours).tolist() == [0, 0, 128, 255, 255]
    assert generation.to_bytes(make_shapes(1, 32, 0)).unique().tolist() == [0, 255]


class Echo(nn.Module):
    """Paints the mean of the noise on the whole canvas."""

    def forward(self, noise):
        return noise.mean(1)[:, None, None, None].expand(-1, 3, 32, 32)


def test_interpolations_go_from_one_noise_to_another():
    noise, real = generation.data("32x32", 0, None).test
    images = Echo()(noise)
    kept = generation.samples(Echo(), noise, images, real)
    assert kept["between"].shape == (4, 8, 3, 32, 32)
    drawn = kept["between"][:, :, 0, 0, 0] / 127.5 - 1  # of bytes, two levels apart at most
    assert (drawn[:, 0] - noise[:4].mean(1)).abs().max() < 1 / 127
    assert (drawn[:, -1] - noise[4:8].mean(1)).abs().max() < 1 / 127
    one, other = noise[:4], noise[4:8]
    straight = (4 * one + 3 * other) / 7  # the fourth of eight images
    longer = (4 * one.norm(dim=1) + 3 * other.norm(dim=1)) / 7 / straight.norm(dim=1)
    assert (longer > 1.2).all()  # a straight line passes through noise shorter than any drawn
    assert (drawn[:, 3] - longer * straight.mean(1)).abs().max() < 1 / 127
    assert kept["centres"].isnan().all()
    assert not kept["real_centres"].isnan().any()
