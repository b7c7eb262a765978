"""One training of a study: a network, a setting, a seed, from data to a result file.

A training can stop at any step (interrupted, killed, out of budget) and goes on from its last
checkpoint to the same weights: the order of the minibatches depends on seed and epoch alone.
Time is processor time of the training's one thread, without the evaluations, so that a busy
machine does not change a comparison.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from coordconv_rl.studies.tasks import Study
from coordconv_rl.studies.training import records
from coordconv_rl.studies.training.adversarial import AdversarialTraining
from coordconv_rl.studies.training.plan import Unit
from coordconv_rl.studies.training.records import Result
from coordconv_rl.studies.training.supervised import Training
from coordconv_rl.studies.training.tensorboard import Board

CHECKPOINT_SECONDS = 15.0  # wall time between checkpoints
TRAININGS = {"supervised": Training, "adversarial": AdversarialTraining}


def train_unit(unit: Unit, study: Study, folder: Path, stop: Callable[[], bool]) -> Result:
    """Train until the epochs are over, the budget is spent or `stop` says so, then evaluate.

    A training whose loss is not finite any more ends there.

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
    training = TRAININGS[study.method](unit, study, folder)
    result = training.result
    with closing(Board(folder, purge_step=result.steps + 1 if result.steps else None)) as board:
        status = _run(training, board, stop)
        if status != "interrupted":
            records.save_drawn(folder, training.finish())
            board.point(study.measure, result.curve[-1])
        result.status = status
        if status == "diverged":
            result.forget_end()
        records.save_training(folder, training.network, training.optimizer, result)
        result.write(folder)
    return result


def _run(training: Training, board: Board, stop: Callable[[], bool]) -> records.TrainingStatus:
    """Take steps, evaluate and save; return why it ended.

    From a loss that is not finite no training comes back: what follows would be wasted.
    """
    result, unit, folder = training.result, training.unit, training.folder
    losses: list[float] = []
    saved = time.monotonic()
    for examples in training.minibatches():
        if not math.isfinite(result.last_loss):
            return "diverged"
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
    return "done" if math.isfinite(result.last_loss) else "diverged"
