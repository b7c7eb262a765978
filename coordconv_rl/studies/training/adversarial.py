"""A training of two adversaries: a generator, and a discriminator that tells its images from real.

One step moves both at once, as the authors' train_gan.py does: the discriminator judges a minibatch
of real and one of generated images; the generator learns from the same verdicts. Where a size says
so, the discriminator pays for steep verdicts around real images (R1 of Mescheder et al. 2018,
"Which training methods for GANs do actually converge?", section 4.1), else one adversary wins.
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
        penalty = generation_size(self.unit.split).penalty
        real = self.train[1][examples].float().requires_grad_(penalty > 0)
        noise = draw_noise(len(examples), torch.Generator().manual_seed(self.step_seed))
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            images = self.network(noise)
            judge = self.network.discriminator
            on_generated, on_real = judge(images).float(), judge(real).float()
        ones, zeros = torch.ones_like(on_real), torch.zeros_like(on_real)
        deceive = self.study.loss(on_generated, ones) / len(examples)
        tell = self.study.loss(on_real, ones) + self.study.loss(on_generated, zeros)
        tell = tell / len(examples)
        loss = tell.item() / 2
        if penalty:
            tell = tell + penalty / 2 * steepness(on_real, real)
        ours, theirs = (group["params"] for group in self.optimizer.param_groups)
        gradients = torch.autograd.grad(deceive, ours, retain_graph=True)
        gradients += torch.autograd.grad(tell, theirs)
        for weight, gradient in zip(ours + theirs, gradients, strict=True):
            # The fused Adam takes both in the order of memory, which a second derivative's is not
            # by itself; `backward` would see to it.
            weight.grad = torch.empty_like(weight).copy_(gradient)
        self.optimizer.step()
        self.result.steps += 1
        return loss


def steepness(verdicts: Tensor, images: Tensor) -> Tensor:
    """Return the mean over images of the squared length of the verdict's gradient by the image.

    Args:
        verdicts: Shape (n, 1); each depends on its own image alone.
        images: Shape (n, ...), with `requires_grad`.
    """
    (slope,) = torch.autograd.grad(verdicts.sum(), images, create_graph=True)
    return slope.square().flatten(1).sum(1).mean()
