"""Two adversaries in one training, at a tiny size."""

from __future__ import annotations

import dataclasses
import math

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

from coordconv_rl.studies.tasks import generation
from coordconv_rl.studies.tasks.adversaries import Adversaries
from coordconv_rl.studies.tasks.networks import initialise
from coordconv_rl.studies.tasks.study import Setting
from coordconv_rl.studies.training.adversarial import AdversarialTraining, steepness
from coordconv_rl.studies.training.plan import Unit
from coordconv_rl.studies.training.train import train_unit

SETTING = Setting(5e-4, batch=8, epochs=2)


def small_data(split, seed, mnist):
    parts = WHOLE.data(split, seed, mnist)
    return type(parts)(*(tuple(values[:16] for values in part) for part in parts))


def build(model, split, setting, seed):
    size = generation.SIZES[split]
    network = Adversaries(model, size.side, 2, seed, normalised=not size.penalty)
    return initialise(network, seed)


WHOLE = generation.STUDY
SMALL = dataclasses.replace(WHOLE, data=small_data, build=build)


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    size = generation.SIZES["32x32"]._replace(train=16, validation=16, test=16)
    monkeypatch.setitem(generation.SIZES, "32x32", size)


def unit(model="coordconv"):
    return Unit("generation", "32x32", model, SETTING, 0, math.inf)


def test_one_step_is_one_of_adam_for_each_with_its_own_step_size(tmp_path, monkeypatch):
    size = generation.SIZES["32x32"]._replace(slower=0.3, penalty=0.0)
    monkeypatch.setitem(generation.SIZES, "32x32", size)
    training = AdversarialTraining(unit("convolution"), SMALL, tmp_path)
    network = training.network
    rates = [group["lr"] for group in training.optimizer.param_groups]
    assert rates == [5e-4, pytest.approx(0.3 * 5e-4)]
    noise = generation.draw_noise(8, torch.Generator().manual_seed(training.step_seed))
    examples = torch.arange(8)
    lies = network.discriminator(network(noise))
    truths = network.discriminator(training.train[1][examples].float())
    told = F.softplus(lies).mean() + F.softplus(-truths).mean()
    weight, judge = network.generator[0].weight, network.discriminator[0].weight
    (wanted,) = torch.autograd.grad(F.softplus(-lies).mean(), weight, retain_graph=True)
    (wanted_judge,) = torch.autograd.grad(told, judge)
    loss = training.step(examples)
    assert loss == pytest.approx(told.item() / 2, rel=1e-4)
    torch.testing.assert_close(weight.grad, wanted, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(judge.grad, wanted_judge, rtol=1e-3, atol=1e-6)


def test_the_penalty_is_in_the_discriminators_gradient_alone(tmp_path, monkeypatch):
    size = generation.SIZES["32x32"]._replace(penalty=3.0)
    monkeypatch.setitem(generation.SIZES, "32x32", size)
    training = AdversarialTraining(unit(), SMALL, tmp_path)
    judge = training.network.discriminator
    noise = generation.draw_noise(8, torch.Generator().manual_seed(training.step_seed))
    real = training.train[1][:8].float().requires_grad_()
    generated = training.network(noise)
    told = F.softplus(judge(generated)).mean() + F.softplus(-judge(real)).mean()
    slopes = [torch.autograd.grad(judge(real)[i], real, create_graph=True)[0] for i in range(8)]
    penalty = sum((slope**2).sum() for slope in slopes) / 8
    weight = judge[2].weight
    (wanted,) = torch.autograd.grad(told + 3.0 / 2 * penalty, weight)
    (deceived,) = torch.autograd.grad(
        F.softplus(-judge(training.network(noise))).mean(),
        training.network.generator[0].layer.weight,
    )
    loss = training.step(torch.arange(8))
    torch.testing.assert_close(weight.grad, wanted, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(
        training.network.generator[0].layer.weight.grad, deceived, rtol=1e-3, atol=1e-6
    )
    assert loss == pytest.approx(told.item() / 2, rel=1e-4)  # as without a penalty


def test_a_step_moves_every_weight_as_plain_adam_does(tmp_path):
    """The fused one takes gradients in the order of memory, whatever their strides say."""
    ours = AdversarialTraining(unit("convolution"), SMALL, tmp_path / "ours")
    plain = AdversarialTraining(unit("convolution"), SMALL, tmp_path / "plain")
    groups = [
        {key: group[key] for key in ("params", "lr")} for group in plain.optimizer.param_groups
    ]
    plain.optimizer = torch.optim.Adam(groups, betas=generation.SIZES["32x32"].betas, foreach=False)
    for training in (ours, plain):
        training.step(torch.arange(8))
    for (name, fused), single in zip(
        ours.network.named_parameters(), plain.network.parameters(), strict=True
    ):
        torch.testing.assert_close(fused, single, msg=name)


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
