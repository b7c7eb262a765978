"""TensorBoard events without torch: scalars that may be corrected, layouts, hyperparameters.

Only TensorBoard's own protocol buffers are used. The files carry no version event, since its
absence makes TensorBoard's reader drop what an out-of-order step overwrites; its faster data
server always does.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as layout_metadata
from tensorboard.plugins.hparams import summary_v2
from tensorboard.summary.writer.record_writer import RecordWriter

DT_STRING = 7  # TensorFlow's types.proto
AFTER_ALL = 2**62  # a step after every other


class EventFile:
    """One new events file in a folder; other files there are older and stay.

    Raises:
        OSError: The folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        stamp = f"{time.time():017.6f}.{socket.gethostname()}.{os.getpid()}"
        self._writer = RecordWriter((folder / f"events.out.tfevents.{stamp}").open("wb"))

    def add(self, summary: Summary, step: int = 0) -> None:
        """Write one summary at an environment step."""
        event = Event(wall_time=time.time(), step=step, summary=summary)
        self._writer.write(event.SerializeToString())

    def add_scalars(self, tag: str, points: Iterable[tuple[int, float]]) -> None:
        """Write a tag's points in order of steps; what the tag had from the first on is void."""
        self.add(Summary(), AFTER_ALL)
        for step, value in points:
            self.add(Summary(value=[Summary.Value(tag=tag, simple_value=value)]), step)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._writer.flush()

    def close(self) -> None:
        """Close the file; what a full disk did not take, `flush` has told."""
        with contextlib.suppress(OSError):
            self._writer.close()


def margin_layout(charts: Mapping[str, Mapping[str, tuple[str, str, str]]]) -> Summary:
    """Make a Custom Scalars layout of margin charts.

    Args:
        charts: By category and title: the tags of the middle, the low and the high line.
    """
    categories = [
        layout_pb2.Category(
            title=category,
            chart=[_margin_chart(title, *tags) for title, tags in titles.items()],
        )
        for category, titles in charts.items()
    ]
    layout = layout_pb2.Layout(category=categories)
    tensor = TensorProto(
        dtype=DT_STRING,
        tensor_shape=TensorShapeProto(),
        string_val=[layout.SerializeToString()],
    )
    value = Summary.Value(
        tag=layout_metadata.CONFIG_SUMMARY_TAG,
        tensor=tensor,
        metadata=layout_metadata.create_summary_metadata(),
    )
    return Summary(value=[value])


def _margin_chart(title: str, middle: str, low: str, high: str) -> layout_pb2.Chart:
    series = layout_pb2.MarginChartContent.Series(value=middle, lower=low, upper=high)
    return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))


def hyperparameter_columns(
    names: Mapping[str, list[str | bool | float]], metrics: Mapping[str, str]
) -> Summary:
    """Make the HParams tab's columns.

    Args:
        names: Hyperparameters and the values that they take.
        metrics: Scalar tags and the names to show for them.
    """
    columns = [
        summary_v2.HParam(name, summary_v2.Discrete(sorted(set(values))))
        for name, values in names.items()
    ]
    shown = [summary_v2.Metric(tag, display_name=title) for tag, title in metrics.items()]
    made: Summary = summary_v2.hparams_config_pb(columns, shown)
    return made


def hyperparameter_row(values: Mapping[str, str | bool | float], name: str) -> Summary:
    """Make the HParams tab's row for the run whose folder this is written to."""
    made: Summary = summary_v2.hparams_pb(dict(values), trial_id=name)
    return made
