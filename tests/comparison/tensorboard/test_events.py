"""Event files without torch, read back by TensorBoard's own readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from folders import experiment, write_run
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.tensorboard.writer import Aggregates
from coordconv_rl.runs import EPISODE_COLUMNS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four runs of two seeds: seed 3 is done, seed 5 is half way with twice its scores."""
    plan.write_experiment(tmp_path, experiment(algos=("ppo",), games=("Pong",)))
    for arm in ("cnn", "coordconv"):
        write_run(tmp_path, f"ppo/Pong/{arm}/seed-3")
        path = write_run(tmp_path, f"ppo/Pong/{arm}/seed-5", status="running")
        record = json.loads((path / "run.json").read_text())
        (path / "run.json").write_text(json.dumps(record | {"step": 500}))
        rows = "".join(f"{step},{2 * step},400,1\n" for step in range(100, 501, 100))
        (path / "episodes.csv").write_text(f"{EPISODE_COLUMNS}\n{rows}")
    return tmp_path


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
