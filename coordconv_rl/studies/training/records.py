"""What a training leaves in its folder: result.json, checkpoint.safetensors, canvases.

No file holds pickled objects, and each is written under another name and then renamed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from coordconv_rl.errors import InputError
from coordconv_rl.files import write_bytes_atomic, write_json_atomic
from coordconv_rl.studies.tasks import Measure

TrainingStatus = Literal["running", "done", "budget", "interrupted", "diverged"]
RESULT_FORMAT = 1
# Since version 1 of the format, with what held until then.
SETTINGS_ADDED: Mapping[str, Any] = MappingProxyType({"l2_epochs": 0, "adversarial": None})


@dataclass
class Point:
    """One evaluation: processor seconds and steps so far, and the values then.

    Further measures are those of the judged part, where they are taken on the way.
    """

    seconds: float
    step: int
    epoch: float
    loss: float
    train: float
    test: float
    measures: dict[str, float] = field(default_factory=dict)


@dataclass
class Result:
    """A training so far. Values are shares, pixels or IoU, as the study's measure says.

    Attributes:
        unit: The training's path.
        setting: Its setting, as plain data.
        seed: Its seed.
        parameters: Trainable numbers in the network.
        status: Why it stands still: out of epochs ("done"), out of budget, interrupted, or
            "diverged": its loss was no finite number any more. Its values may be NaN then.
        steps: Minibatches so far.
        seconds: Processor seconds of training so far.
        wall_seconds: The same on the clock.
        train: Value on the training positions, at the end.
        test: Value on the held-out positions, at the end. Of adversaries, which never stand still,
            both are means over the last evaluations, as `measures` are.
        best_test: The best test value on the way.
        best_seconds: Processor seconds at which that value was first seen.
        last_loss: Loss of the last minibatch.
        measures: Further values on the held-out part, at the end, where the study has some.
        curve: The evaluations, in order.
        machine: Where it ran, with which torch, and in which precision.
    """

    unit: str
    setting: dict[str, Any]
    seed: int
    parameters: int
    status: TrainingStatus = "running"
    steps: int = 0
    seconds: float = 0.0
    wall_seconds: float = 0.0
    train: float | None = None
    test: float | None = None
    best_test: float | None = None
    best_seconds: float | None = None
    last_loss: float = 0.0
    measures: dict[str, float] = field(default_factory=dict)
    curve: list[Point] = field(default_factory=list)
    machine: dict[str, str] = field(default_factory=dict)

    def add(self, point: Point, measure: Measure) -> None:
        """Append a point; its values are the latest ones, and may be the best."""
        if self.curve and self.curve[-1].step == point.step:
            self.curve.pop()
        self.curve.append(point)
        self.train, self.test = point.train, point.test
        best = self.best_test
        if best is None or math.isnan(best) or measure.is_better(point.test, best):
            self.best_test, self.best_seconds = point.test, point.seconds

    @property
    def is_ended(self) -> bool:
        """Whether its values are those of an end: it was not stopped or killed on the way."""
        return self.status in ("done", "budget", "diverged")

    def forget_end(self) -> None:
        """Leave no value at the end of a diverged training, whatever its outputs were judged as."""
        self.train = self.test = math.nan
        self.measures = dict.fromkeys(self.measures, math.nan)

    def is_complete(self, seconds: float) -> bool:
        """Return whether nothing is left to train with that many processor seconds."""
        if self.status in ("done", "diverged"):
            return True
        return self.status == "budget" and self.seconds >= seconds

    def write(self, folder: Path) -> None:
        """Write result.json, whole or not at all; JSON has no NaN, so that stands as null."""
        values = {"format": RESULT_FORMAT, **asdict(self)}
        write_json_atomic(folder / "result.json", _null_for_nan(values))

    @classmethod
    def read(cls, folder: Path) -> Result | None:
        """Read result.json; none if there is none yet.

        Raises:
            InputError: The file is no result of a study.
        """
        path = folder / "result.json"
        if not path.exists():
            return None
        try:
            return cls.parse(json.loads(path.read_text()))
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"{path} is no result of a study ({error}): delete its folder to train it again"
            ) from error

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Result:
        """Make a result of plain data, as `write` leaves it."""
        if values.pop("format", None) != RESULT_FORMAT:
            raise ValueError("another format")
        values["setting"] = {**SETTINGS_ADDED, **values["setting"]}
        curve = [Point(**_nan_for_null(point)) for point in values.pop("curve")]
        for point in curve:
            point.measures = _nan_for_null(point.measures)
        if curve:  # null before the first evaluation means that there is no value yet
            values = _nan_for_null(values)
        result = cls(**values | {"measures": _nan_for_null(values["measures"])}, curve=curve)
        if result.status == "diverged":  # as versions before wrote it
            result.forget_end()
        return result


def _nan_for_null(values: dict[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value for name, value in values.items()}


def _null_for_nan(value: Any) -> Any:
    """Put None in the place of each number that is not finite, however deep it lies."""
    if isinstance(value, dict):
        return {name: _null_for_nan(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_null_for_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def save_training(
    folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer, result: Result
) -> None:
    """Write weights and Adam's state as tensors, and the result so far as JSON beside them."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": tensor for name, tensor in state.items()}
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    metadata = {"result": json.dumps({"format": RESULT_FORMAT, **asdict(result)})}
    data = safetensors.torch.save(tensors, metadata)
    write_bytes_atomic(folder / "checkpoint.safetensors", data)


def load_training(
    folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer, result: Result
) -> None:
    """Bring network, optimizer and result to where the last checkpoint stood, if there is one.

    Raises:
        InputError: The file is damaged or belongs to another training.
    """
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return
    try:
        with safetensors.safe_open(path, "pt") as file:
            saved = Result.parse(json.loads(file.metadata()["result"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if (saved.unit, saved.setting) != (result.unit, result.setting):
            raise ValueError("it belongs to another training")
        prefix = "network."
        weights = {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
        network.load_state_dict(weights)
        _load_adam(optimizer, tensors)
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be used ({reason}): delete it to train again") from error
    for name, value in vars(saved).items():
        setattr(result, name, value)


def _load_adam(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Restore Adam's moments in each weight's own memory order: the fused step relies on it."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        kind, *rest = name.split(".")
        if kind == "adam":
            index = int(rest[0])
            value = (
                torch.empty_like(weights[index].detach()).copy_(tensor) if tensor.dim() else tensor
            )
            state.setdefault(index, {})[rest[1]] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def save_drawn(folder: Path, drawn: dict[str, Tensor]) -> None:
    """Keep what the pictures need."""
    tensors = {name: tensor.contiguous() for name, tensor in drawn.items()}
    write_bytes_atomic(folder / "canvases.safetensors", safetensors.torch.save(tensors))


def load_drawn(folder: Path) -> dict[str, Tensor] | None:
    """Read what `save_drawn` kept; none if the training has not ended once.

    Raises:
        InputError: The file is damaged.
    """
    path = folder / "canvases.safetensors"
    try:
        return safetensors.torch.load_file(path) if path.exists() else None
    except safetensors.SafetensorError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is damaged ({reason}): delete {folder} to train again") from error
