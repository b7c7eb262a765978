"""Event files without torch, read back by TensorBoard's own readers."""

from __future__ import annotations

from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2

from coordconv_rl.comparison.tensorboard.writer import Aggregates


def test_the_layout_has_a_margin_chart_for_each_game(folder):
    Aggregates(folder).__exit__(None, None, None)
    reader = EventAccumulator(str(folder / "by-arm/cnn"))
    reader.Reload()
    (event,) = reader.Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    (category,) = layout.category
    (chart,) = category.chart
    (series,) = chart.margin.series
    assert (chart.title, series.value) == ("Pong", "comparison_ppo/Pong")
    assert (series.lower, series.upper) == ("seeds_ppo/Pong low", "seeds_ppo/Pong high")
