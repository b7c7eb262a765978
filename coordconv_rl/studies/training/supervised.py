"""A training in progress: network, optimizer, data and the curve so far.

All random draws of a step depend on seed and step alone, so that a training can go on from a
checkpoint to the same weights.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from coordconv_rl.processor import has_bfloat16_instructions
from coordconv_rl.studies.tasks import Study, penalised_kernels
from coordconv_rl.studies.training import records
from coordconv_rl.studies.training.plan import Unit
from coordconv_rl.studies.training.records import Point, Result

FIRST_EVALUATIONS = (25, 100)  # steps; then once an epoch
SAMPLE = 196  # training examples judged while training; at its end all are

Part = tuple[Tensor, Tensor]  # inputs and targets


class Training:
    """A training in progress: network, optimizer, data and the curve so far.

    Args:
        unit: What to train.
        study: The study that the unit belongs to.
        folder: The unit's folder; a checkpoint in it is gone on with.
    """

    def __init__(self, unit: Unit, study: Study, folder: Path) -> None:
        self.unit, self.study, self.folder = unit, study, folder
        setting = unit.setting
        self.train, self.test = self._parts()
        network = study.build(unit.model, unit.split, setting, unit.seed)
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = self.make_optimizer()
        self.chunk = setting.batch if _has_batch_statistics(network) else study.chunk
        self.bfloat16 = study.precision == "auto" and has_bfloat16_instructions()
        self.result = self._fresh_result()
        records.load_training(folder, self.network, self.optimizer, self.result)

    def _parts(self) -> tuple[Part, Part]:
        """Give the examples to train on and those to judge by, as the unit says."""
        train, validation, test = self.study.data(self.unit.split, self.unit.seed, self.unit.mnist)
        if self.unit.judged == "validation":
            return train, validation
        inputs, targets = (torch.cat(both) for both in zip(train, validation, strict=True))
        return (inputs, targets), test

    def _fresh_result(self) -> Result:
        return Result(
            unit=self.unit.path,
            setting=asdict(self.unit.setting),
            seed=self.unit.seed,
            parameters=sum(weight.numel() for weight in self.network.parameters()),
            machine={
                "processor": platform.machine(),
                "torch": torch.__version__,
                "precision": "bfloat16" if self.bfloat16 else "float32",
            },
        )

    @property
    def epoch_steps(self) -> int:
        """Minibatches in an epoch."""
        return -(-len(self.train[0]) // self.unit.setting.batch)

    def is_evaluation_due(self) -> bool:
        """Return whether to evaluate after this step; the last step is evaluated in full anyway."""
        steps = self.result.steps
        if steps == self.epoch_steps * self.unit.setting.epochs:
            return False
        return steps in FIRST_EVALUATIONS or steps % self.epoch_steps == 0

    def minibatches(self) -> Iterator[Tensor]:
        """Yield the examples of each minibatch that is still to come, up to the last epoch."""
        setting, total = self.unit.setting, self.epoch_steps
        first, done = divmod(self.result.steps, total)
        for epoch in range(first, setting.epochs):
            generator = torch.Generator().manual_seed(self.unit.seed * 1_000_003 + epoch)
            order = torch.randperm(len(self.train[0]), generator=generator)
            yield from torch.split(order, setting.batch)[done:]
            done = 0

    @property
    def step_size_factor(self) -> float:
        """What is left of the setting's step size at this step."""
        every = self.unit.setting.step_epochs
        drops = self.result.steps // self.epoch_steps // every if every else 0
        return float(0.1**drops)

    @property
    def l2(self) -> float:
        """The weight of the squared kernels in the loss at this step."""
        setting = self.unit.setting
        return setting.l2 if self.result.steps >= setting.l2_epochs * self.epoch_steps else 0.0

    @property
    def step_seed(self) -> int:
        """Seed of all that this step draws."""
        return (self.unit.seed + 1) * 1_000_003_000 + self.result.steps

    def make_optimizer(self) -> torch.optim.Adam:
        """Make Adam, with the kernels that the l2 penalty is on in its first group.

        Each step sets the penalty. On the processor the fused version is one pass over the weights.
        """
        kernels = penalised_kernels(self.network)
        own = {id(kernel) for kernel in kernels}
        groups: list[dict[str, Any]] = [
            {"params": kernels},
            {"params": [weight for weight in self.network.parameters() if id(weight) not in own]},
        ]
        return torch.optim.Adam(groups, lr=self.unit.setting.learning_rate, fused=True)

    def step(self, examples: Tensor) -> float:
        """Take one step of Adam on a minibatch and return its mean loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.unit.setting.learning_rate * self.step_size_factor
        self.optimizer.param_groups[0]["weight_decay"] = 2 * self.l2  # the penalty's gradient
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(self.step_seed)
            total = self._add_gradients(examples)
        self.optimizer.step()
        self.result.steps += 1
        return total

    def _add_gradients(self, examples: Tensor) -> float:
        """Compute the gradient of the mean loss, chunk by chunk; return that loss."""
        total = 0.0
        inputs, targets = self.train
        self.optimizer.zero_grad()
        for chunk in torch.split(examples, self.chunk):
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
                outputs = self.network(inputs[chunk])
            loss = self.study.loss(outputs.float(), targets[chunk]) / len(examples)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def train_sample(self, *, whole: bool) -> Part:
        """Give the training examples to judge: all, or an evenly spaced sample."""
        stride = 1 if whole else max(1, len(self.train[0]) // SAMPLE)
        return self.train[0][::stride], self.train[1][::stride]

    @torch.no_grad()
    def evaluate(self, loss: float) -> None:
        """Add a point to the curve, with the mean training loss since the last one."""
        self._judge(loss, self.train_sample(whole=False))

    @torch.no_grad()
    def finish(self) -> dict[str, Tensor]:
        """Add a point with all training examples and the further measures.

        Returns:
            What the pictures need: "canvases" of the shape (2, 64, 64), what is painted of the
            training part and of the judged part; or what the study's `samples` give.
        """
        train, study = self.train_sample(whole=True), self.study
        seen, unseen = self._judge(self.result.last_loss, train)
        self.result.measures = self._measure(unseen)
        if study.samples is not None:
            self.network.eval()
            drawn = study.samples(self.network, self.test[0], unseen, self.test[1])
            self.network.train()
            return drawn
        if study.paint is None:
            return {}
        canvases = (study.paint(seen, train[1]), study.paint(unseen, self.test[1]))
        return {"canvases": torch.stack(canvases)}

    def _measure(self, unseen: Tensor) -> dict[str, float]:
        """Give the further measures of the outputs for the judged part, if the study has some."""
        return {} if self.study.measures is None else self.study.measures(unseen, self.test[1])

    def _judge(self, loss: float, train: Part) -> tuple[Tensor, Tensor]:
        """Add a point to the curve; return the outputs for the training and the judged part."""
        seen, unseen = self._predict(train[0]), self._predict(self.test[0])
        self.result.add(
            Point(
                seconds=self.result.seconds,
                step=self.result.steps,
                epoch=self.result.steps / self.epoch_steps,
                loss=loss,
                train=self.study.judge(seen, train[1]).mean().item(),
                test=self.study.judge(unseen, self.test[1]).mean().item(),
            ),
            self.study.measure,
        )
        return seen, unseen

    def _predict(self, inputs: Tensor) -> Tensor:
        """Run the network as it is used after the training, chunk by chunk."""
        self.network.eval()
        outputs = [self.network(chunk) for chunk in torch.split(inputs, self.chunk)]
        self.network.train()
        return torch.cat(outputs)


def _has_batch_statistics(network: nn.Module) -> bool:
    return any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
