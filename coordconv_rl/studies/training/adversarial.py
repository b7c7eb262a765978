"""A training of two adversaries: a generator, and a discriminator that tells its images from real.

One step moves both at once, as the authors' train_gan.py does: the discriminator judges a minibatch
of real and one of generated images; the generator learns from the same verdicts.
"""

from __future__ import annotations

import torch
from torch import Tensor

from coordconv_rl.studies.tasks import Adversaries, draw_noise, generation_size
from coordconv_rl.studies.training.supervised import Part, Training

JUDGED = 1000  # training images that as many generated ones are judged against


class AdversarialTraining(Training):
    """As `Training`; inputs are noise and targets real images."""

    network: Adversaries

    def make_optimizer(self) -> torch.optim.Adam:
        """Make one Adam with two step sizes."""
        rate, size = self.unit.setting.learning_rate, generation_size(self.unit.split)
        groups = [
            {"params": list(self.network.generator.parameters()), "lr": rate},
            {"params": list(self.network.discriminator.parameters()), "lr": size.slower * rate},
        ]
        return torch.optim.Adam(groups, betas=size.betas, fused=True)

    def train_sample(self, *, whole: bool) -> Part:
        """Give as many training images as the test part has, while training and at its end."""
        return self.train[0][:JUDGED], self.train[1][:JUDGED]

    def step(self, examples: Tensor) -> float:
        """Take one step of Adam for both adversaries; return the discriminator's mean loss."""
        real = self.train[1][examples].float()
        noise = draw_noise(len(examples), torch.Generator().manual_seed(self.step_seed))
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            images = self.network(noise)
            judge = self.network.discriminator
            on_generated, on_real = judge(images).float(), judge(real).float()
        ones, zeros = torch.ones_like(on_real), torch.zeros_like(on_real)
        deceive = self.study.loss(on_generated, ones) / len(examples)
        tell = self.study.loss(on_real, ones) + self.study.loss(on_generated, zeros)
        tell = tell / len(examples)
        ours, theirs = (group["params"] for group in self.optimizer.param_groups)
        gradients = torch.autograd.grad(deceive, ours, retain_graph=True)
        gradients += torch.autograd.grad(tell, theirs)
        for weight, gradient in zip(ours + theirs, gradients, strict=True):
            weight.grad = gradient
        self.optimizer.step()
        self.result.steps += 1
        return tell.item() / 2
