"""A study of seconds, and results as trainings leave them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from torch import Tensor

from coordconv_rl.studies.report.results import Row
from coordconv_rl.studies.tasks import coordinate_regression
from coordconv_rl.studies.tasks.data import at_positions
from coordconv_rl.studies.tasks.study import Setting
from coordconv_rl.studies.training.plan import Unit
from coordconv_rl.studies.training.records import Point, Result

# A real study on every eighth position: pictures, processes and files are those of the command.
STUDY_SCRIPT = """
import dataclasses, sys
from coordconv_rl.studies.tasks import translation

def few_positions(split, seed, mnist):
    parts = WHOLE.data(split, seed, mnist)
    return type(parts)(*(tuple(values[::8] for values in part) for part in parts))

WHOLE = translation.STUDY
translation.STUDY = dataclasses.replace(WHOLE, data=few_positions)
if __name__ == "__main__":
    from coordconv_rl.cli.main import main

    sys.exit(main(sys.argv[1:]))
"""

SETTING = Setting(0.01, l2=1e-5, epochs=4, step_epochs=3, l2_epochs=2)


def _few_positions(positions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    return coordinate_regression.data(positions[::30], seed)


SMALL = dataclasses.replace(coordinate_regression.STUDY, data=at_positions(_few_positions))


def unit(
    model: str = "coordconv",
    seconds: float = math.inf,
    setting: Setting = SETTING,
    seed: int = 0,
    judged: str = "test",
) -> Unit:
    return Unit("coordinate-regression", "quadrant", model, setting, seed, seconds, judged)


def never() -> bool:
    return False


def stop_after(steps: int) -> Callable[[], bool]:
    asked = iter(range(steps))
    return lambda: next(asked, None) is None


def finished(path: str, test: float, seconds: float, parameters: int = 100) -> Result:
    """A training that is done, whose only evaluation came at that second."""
    point = Point(seconds=seconds, step=1, epoch=1.0, loss=0.0, train=test, test=test)
    result = Result(path, {}, 0, parameters, status="done", seconds=10 * seconds)
    result.add(point, coordinate_regression.STUDY.measure)
    return result


def row(model: str, tests: list[float], seconds: float, parameters: int) -> Row:
    results = tuple(finished(f"uniform/{model}", test, seconds, parameters) for test in tests)
    return Row("uniform", model, SETTING, (), results, len(tests))
