"""One training of a study: a network, a setting, a seed, from data to a result file.

A training can stop at any step (interrupted, killed, out of budget) and goes on from its last
checkpoint to the same weights: the order of the minibatches depends on seed and epoch alone.
Time is processor time of the training's one thread, without the evaluations, so that a busy
machine does not change a comparison.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from coordconv_rl.processor import has_bfloat16_instructions
from coordconv_rl.studies.tasks import Setting, Study, initialise, split_positions
from coordconv_rl.studies.training import records
from coordconv_rl.studies.training.plan import Unit
from coordconv_rl.studies.training.records import Point, Result
from coordconv_rl.studies.training.tensorboard import Board

CHECKPOINT_SECONDS = 15.0  # wall time between checkpoints
FIRST_EVALUATIONS = (25, 100)  # steps; then once an epoch
SAMPLE = 196  # training examples judged while training; at its end all are


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
        positions = split_positions(unit.split, unit.seed)
        self.train = study.data(positions.train, unit.seed)
        self.test = study.data(positions.test, unit.seed)
        network = study.build(unit.model, unit.split, setting, unit.seed)
        initialise(network, unit.seed)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = make_optimizer(network, setting)
        self.chunk = setting.batch if _has_batch_statistics(network) else study.chunk
        self.bfloat16 = study.precision == "auto" and has_bfloat16_instructions()
        self.result = self._fresh_result()
        records.load_training(folder, self.network, self.optimizer, self.result)

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

    def step(self, examples: Tensor) -> float:
        """Take one step of Adam on a minibatch and return its mean loss."""
        setting = self.unit.setting
        epoch = self.result.steps // self.epoch_steps
        drops = epoch // setting.step_epochs if setting.step_epochs else 0
        for group in self.optimizer.param_groups:
            group["lr"] = setting.learning_rate * 0.1**drops
        total = 0.0
        inputs, targets = self.train
        self.optimizer.zero_grad()
        for chunk in torch.split(examples, self.chunk):
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
                outputs = self.network(inputs[chunk])
            loss = self.study.loss(outputs.float(), targets[chunk]) / len(examples)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        self.optimizer.step()
        self.result.steps += 1
        return total

    @torch.no_grad()
    def predict(self, data: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Judge a data set: the mean value and what all examples paint together, (64, 64)."""
        self.network.eval()
        values, canvas = [], torch.zeros(64, 64)
        batches = (torch.split(part, self.chunk) for part in data)
        for inputs, targets in zip(*batches, strict=True):
            outputs = self.network(inputs)
            values.append(self.study.judge(outputs, targets))
            canvas += self.study.paint(outputs, targets)
        self.network.train()
        return torch.cat(values).mean(), canvas

    def evaluate(self, loss: float, *, whole: bool = False) -> Tensor:
        """Add a point to the curve; return the painted canvases, shape (2, 64, 64).

        Args:
            loss: Mean training loss since the last point.
            whole: Whether to judge all training examples, not an evenly spaced sample.
        """
        stride = 1 if whole else max(1, len(self.train[0]) // SAMPLE)
        train, seen = self.predict((self.train[0][::stride], self.train[1][::stride]))
        test, unseen = self.predict(self.test)
        self.result.add(
            Point(
                seconds=self.result.seconds,
                step=self.result.steps,
                epoch=self.result.steps / self.epoch_steps,
                loss=loss,
                train=train.item(),
                test=test.item(),
            ),
            self.study.measure,
        )
        return torch.stack([seen, unseen])


def make_optimizer(network: nn.Module, setting: Setting) -> torch.optim.Adam:
    """Make Adam with the l2 penalty on kernels alone; its gradient is twice `l2` times the weight.

    On the processor the fused version is one pass over the weights.
    """
    kernels = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() <= 1]
    groups: list[dict[str, Any]] = [
        {"params": kernels, "weight_decay": 2 * setting.l2},
        {"params": others},
    ]
    return torch.optim.Adam(groups, lr=setting.learning_rate, fused=True)


def _has_batch_statistics(network: nn.Module) -> bool:
    return any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())


def train_unit(unit: Unit, study: Study, folder: Path, stop: Callable[[], bool]) -> Result:
    """Train until the epochs are over, the budget is spent or `stop` says so, then evaluate.

    Args:
        unit: What to train, and for how many seconds altogether.
        study: The study that the unit belongs to.
        folder: The unit's own folder; made here. A finished or stopped training in it goes on.
        stop: Asked after each step.

    Returns:
        The result, as written to `result.json`; its `status` says why the training ended.

    Raises:
        InputError: The folder holds a damaged checkpoint.
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    training = Training(unit, study, folder)
    result = training.result
    with closing(Board(folder, purge_step=result.steps + 1 if result.steps else None)) as board:
        status = _run(training, board, stop)
        if status != "interrupted":
            records.save_canvases(folder, training.evaluate(result.last_loss, whole=True))
            board.point(study.measure, result.curve[-1])
        result.status = status
        records.save_training(folder, training.network, training.optimizer, result)
        result.write(folder)
    return result


def _run(training: Training, board: Board, stop: Callable[[], bool]) -> records.TrainingStatus:
    """Take steps, evaluate and save; return why it ended."""
    result, unit, folder = training.result, training.unit, training.folder
    losses: list[float] = []
    saved = time.monotonic()
    for examples in training.minibatches():
        if result.seconds >= unit.seconds:
            return "budget"
        if stop():
            return "interrupted"
        begun, wall = time.thread_time(), time.monotonic()
        losses.append(training.step(examples))
        result.seconds += time.thread_time() - begun
        result.wall_seconds += time.monotonic() - wall
        result.last_loss = losses[-1]
        if training.is_evaluation_due():
            training.evaluate(sum(losses) / len(losses))
            losses.clear()
            board.point(training.study.measure, result.curve[-1])
            result.write(folder)
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            records.save_training(folder, training.network, training.optimizer, result)
            saved = time.monotonic()
    return "done"
