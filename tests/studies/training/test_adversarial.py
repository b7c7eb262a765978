"""Two adversaries in one training, at a tiny size."""

from __future__ import annotations

import dataclasses
import math

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import nn

from coordconv_rl.errors import InputError
from coordconv_rl.studies.tasks import generation
from coordconv_rl.studies.tasks.adversaries import Adversaries
from coordconv_rl.studies.tasks.networks import initialise
from coordconv_rl.studies.tasks.study import AdversarialSetting, Setting
from coordconv_rl.studies.training.adversarial import AdversarialTraining, steepness
from coordconv_rl.studies.training.plan import Unit, find_result
from coordconv_rl.studies.training.train import train_unit

SETTING = Setting(
    5e-4,
    batch=8,
    epochs=2,
    adversarial=AdversarialSetting(5e-4, beta1=0.5, beta2=0.99, penalty=0.1),
)


def small_data(split, seed, mnist):
    parts = WHOLE.data(split, seed, mnist)
    return type(parts)(*(tuple(values[:16] for values in part) for part in parts))


def build(model, split, setting, seed):
    size = generation.SIZES[split]
    normalised = not setting.adversarial.penalty
    network = Adversaries(model, size.side, 2, seed, normalised=normalised)
    return initialise(network, seed)


WHOLE = generation.STUDY
SMALL = dataclasses.replace(WHOLE, data=small_data, build=build)


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    size = generation.SIZES["32x32"]._replace(train=16, validation=16, test=16)
    monkeypatch.setitem(generation.SIZES, "32x32", size)


def unit(model="coordconv"):
    return Unit("generation", "32x32", model, SETTING, 0, math.inf)


def adversarial(model="convolution", **changes):
    """A unit with some parts of its setting changed."""
    own = dataclasses.replace(SETTING.adversarial, **changes)
    return dataclasses.replace(unit(model), setting=dataclasses.replace(SETTING, adversarial=own))


@pytest.mark.parametrize("model", ["coordconv", "convolution"])
@pytest.mark.parametrize("penalty", [0.0, 3.0])
@pytest.mark.parametrize("generator_steps", [1, 2])
def test_a_step_moves_all_weights_as_two_plain_optimizers_do(
    tmp_path, generator_steps, penalty, model
):
    """The discriminator first, then the generator against it, on the same noise, once or twice.

    Each by an Adam of its own that is not fused: the fused one takes gradients in the order of
    memory, whatever their strides say.
    """
    tried = adversarial(model, generator_steps=generator_steps, penalty=penalty, rate=2e-4)
    ours = AdversarialTraining(tried, SMALL, tmp_path / "ours")
    twin = AdversarialTraining(tried, SMALL, tmp_path / "twin")
    generator, judge = twin.network.generator, twin.network.discriminator
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in judge) == (not penalty)
    generator_adam = torch.optim.Adam(
        generator.parameters(), lr=5e-4, betas=(0.5, 0.99), foreach=False
    )
    judge_adam = torch.optim.Adam(judge.parameters(), lr=2e-4, betas=(0.5, 0.99), foreach=False)
    for examples in (torch.arange(8), torch.arange(8, 16)):
        noise = generation.draw_noise(8, torch.Generator().manual_seed(twin.step_seed))
        real = twin.train[1][examples].float().requires_grad_()
        images = generator(noise)
        told = F.softplus(judge(images.detach())).mean() + F.softplus(-judge(real)).mean()
        judge_adam.zero_grad()
        (told + penalty / 2 * squared_slopes(judge, real)).backward()
        judge_adam.step()
        for again in range(generator_steps):
            deceived = F.softplus(-judge(generator(noise) if again else images)).mean()
            generator_adam.zero_grad()
            deceived.backward()
            generator_adam.step()
        twin.result.steps += 1
        assert ours.step(examples) == pytest.approx(told.item() / 2, rel=1e-4)
    left_out = without_gradient(twin.network)
    for (name, moved), wanted in zip(
        ours.network.named_parameters(), twin.network.parameters(), strict=True
    ):
        if name in left_out:
            continue
        torch.testing.assert_close(moved, wanted, msg=lambda text, name=name: f"{name}: {text}")


def without_gradient(network):
    """Biases that batch normalisation takes away again: Adam moves them by what is rounded off."""
    return {
        f"{part}.{index}.bias"
        for part, layers in network.named_children()
        for index, layer in enumerate(layers[:-1])
        if isinstance(layers[index + 1], nn.BatchNorm2d) and not isinstance(layer, nn.Unflatten)
    }


def squared_slopes(judge, real):
    """The mean over images of the squared gradient, one image at a time: no other in its batch."""
    if any(isinstance(layer, nn.BatchNorm2d) for layer in judge):
        return 0.0
    slopes = [
        torch.autograd.grad(judge(image[None]).sum(), real, create_graph=True)[0] for image in real
    ]
    return sum((slope**2).sum() for slope in slopes) / len(real)


def test_steepness_is_the_mean_squared_slope():
    images = torch.arange(12.0).view(2, 3, 2).requires_grad_()
    verdicts = (images**2 / 2).sum((1, 2))[:, None]  # its slope is the image itself
    expected = ((0 + 1 + 4 + 9 + 16 + 25) + (36 + 49 + 64 + 81 + 100 + 121)) / 2
    assert steepness(verdicts, images).item() == expected


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path):
    asked = iter(range(3))
    whole = train_unit(unit(), SMALL, tmp_path / "whole", lambda: False)
    part = train_unit(unit(), SMALL, tmp_path / "parts", lambda: next(asked, None) is None)
    assert (part.status, part.steps) == ("interrupted", 3)
    rest = train_unit(unit(), SMALL, tmp_path / "parts", lambda: False)
    assert (whole.status, rest.status, rest.steps) == ("done", "done", 8)
    ours, theirs = (
        safetensors.torch.load_file(tmp_path / name / "checkpoint.safetensors")
        for name in ("whole", "parts")
    )
    assert ours.keys() == theirs.keys()
    assert all(ours[name].equal(theirs[name]) for name in ours)
    assert rest.measures == whole.measures
    assert set(rest.measures) >= {"both objects", "joint coverage", "recall"}


def test_what_counts_is_the_mean_over_the_last_evaluations(tmp_path, monkeypatch):
    """Not the last one: adversaries go up and down, and a training that goes on has them all."""
    values = iter(range(100))
    measured = dataclasses.replace(
        SMALL,
        judge=lambda outputs, targets: torch.tensor([float(next(values))]),
        measures=lambda outputs, targets: {"read": float(next(values))},
    )
    seven = dataclasses.replace(unit(), setting=dataclasses.replace(SETTING, epochs=7))
    asked = iter(range(9))  # steps, of 4 an epoch: in its third epoch
    train_unit(seven, measured, tmp_path, lambda: next(asked, None) is None)
    result = train_unit(seven, measured, tmp_path, lambda: False)
    late = result.curve[-5:]
    assert [point.step for point in late] == [16, 20, 24, 25, 28]
    assert result.test == sum(point.test for point in late[1:]) / 4
    assert result.train == sum(point.train for point in late[1:]) / 4
    assert result.measures == {"read": sum(p.measures["read"] for p in late[1:]) / 4}


def test_a_training_with_another_penalty_is_another_training(tmp_path):
    train_unit(unit("convolution"), SMALL, tmp_path / unit("convolution").path, lambda: False)
    assert find_result(tmp_path, unit("convolution")).status == "done"
    changed = adversarial(penalty=0.2)
    assert changed.path == unit("convolution").path
    with pytest.raises(InputError, match="other settings"):
        find_result(tmp_path, changed)
