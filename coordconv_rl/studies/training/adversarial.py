"""A training of two adversaries: a generator, and a discriminator that tells its images from real.

One step is the discriminator's, on a minibatch of real and one of generated images, and then the
generator's, one or several, on the same noise and against the discriminator just moved, as the
authors' train_gan.py does. Where a setting says so, the discriminator pays for steep verdicts
around real images (R1 of Mescheder et al. 2018, "Which training methods for GANs do actually
converge?", section 4.1), else one adversary wins.

Adversaries go up and down for as long as they train. So what counts at the end is the mean over the
last evaluations, not the last one.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable

import torch
from torch import Tensor

from coordconv_rl.studies.tasks import AdversarialSetting, Adversaries, draw_noise
from coordconv_rl.studies.training.supervised import Part, Training

JUDGED = 1000  # training images that as many generated ones are judged against
LAST_EVALUATIONS = 4  # evaluations at a training's end whose mean counts
GENERATOR, DISCRIMINATOR = 0, 1  # groups of the optimizer


class AdversarialTraining(Training):
    """As `Training`; inputs are noise and targets real images."""

    network: Adversaries

    @property
    def adversarial(self) -> AdversarialSetting:
        """How the discriminator is trained."""
        assert self.unit.setting.adversarial is not None
        return self.unit.setting.adversarial

    def make_optimizer(self) -> torch.optim.Adam:
        """Make one Adam with two step sizes; a weight without a gradient stays where it is."""
        setting = self.adversarial
        rates = (self.unit.setting.learning_rate, setting.rate)
        networks = (self.network.generator, self.network.discriminator)
        groups = [
            {"params": list(network.parameters()), "lr": rate}
            for network, rate in zip(networks, rates, strict=True)
        ]
        return torch.optim.Adam(groups, betas=(setting.beta1, setting.beta2), fused=True)

    def train_sample(self, *, whole: bool) -> Part:
        """Give as many training images as the test part has, while training and at its end."""
        return self.train[0][:JUDGED], self.train[1][:JUDGED]

    def step(self, examples: Tensor) -> float:
        """Move the discriminator, then the generator; return the discriminator's mean loss."""
        noise = draw_noise(len(examples), torch.Generator().manual_seed(self.step_seed))
        images = self._generate(noise)
        loss = self._move_discriminator(self.train[1][examples].float(), images.detach())
        self._move_generator(images)
        for _ in range(self.adversarial.generator_steps - 1):
            self._move_generator(self._generate(noise))
        self.result.steps += 1
        return loss

    def _generate(self, noise: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            images: Tensor = self.network(noise)
        return images

    def _judge_images(self, images: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            verdicts: Tensor = self.network.discriminator(images)
        return verdicts.float()

    def _move_discriminator(self, real: Tensor, images: Tensor) -> float:
        penalty = self.adversarial.penalty
        real.requires_grad_(penalty > 0)
        on_generated, on_real = self._judge_images(images), self._judge_images(real)
        tell = self.study.loss(on_real, torch.ones_like(on_real))
        tell = tell + self.study.loss(on_generated, torch.zeros_like(on_generated))
        tell = tell / len(real)
        loss = tell.item() / 2
        if penalty:
            tell = tell + penalty / 2 * steepness(on_real, real)
        self._move(tell, DISCRIMINATOR)
        return loss

    def _move_generator(self, images: Tensor) -> None:
        verdicts = self._judge_images(images)
        deceive = self.study.loss(verdicts, torch.ones_like(verdicts)) / len(images)
        self._move(deceive, GENERATOR)

    def _move(self, loss: Tensor, group: int) -> None:
        """Take one step of Adam with the weights of one of its groups alone."""
        weights = self.optimizer.param_groups[group]["params"]
        gradients = torch.autograd.grad(loss, weights)
        for weight, gradient in zip(weights, gradients, strict=True):
            # The fused Adam takes both in the order of memory, which a second derivative's is not
            # by itself; `backward` would see to it.
            weight.grad = torch.empty_like(weight).copy_(gradient)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def _judge(self, loss: float, train: Part) -> tuple[Tensor, Tensor]:
        """Add a point with its further measures to the curve; give what was judged."""
        seen, unseen = super()._judge(loss, train)
        self.result.curve[-1].measures = super()._measure(unseen)
        return seen, unseen

    def _measure(self, unseen: Tensor) -> dict[str, float]:
        """Give the mean of the measures of the last evaluations, which have been taken."""
        return mean_measures(point.measures for point in self.result.curve[-LAST_EVALUATIONS:])

    @torch.no_grad()
    def finish(self) -> dict[str, Tensor]:
        """Judge once more, and let the mean over the last evaluations count."""
        drawn, result = super().finish(), self.result
        late = result.curve[-LAST_EVALUATIONS:]
        result.train = statistics.fmean(point.train for point in late)
        result.test = statistics.fmean(point.test for point in late)
        return drawn


def mean_measures(some: Iterable[dict[str, float]]) -> dict[str, float]:
    """Average measures of the same names, name by name."""
    measures = list(some)
    return {name: statistics.fmean(one[name] for one in measures) for name in measures[0]}


def steepness(verdicts: Tensor, images: Tensor) -> Tensor:
    """Return the mean over images of the squared length of the verdict's gradient by the image.

    Args:
        verdicts: Shape (n, 1); each depends on its own image alone.
        images: Shape (n, ...), with `requires_grad`.
    """
    (slope,) = torch.autograd.grad(verdicts.sum(), images, create_graph=True)
    return slope.square().flatten(1).sum(1).mean()
