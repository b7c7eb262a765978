"""The comparison's lines in TensorBoard, read back by TensorBoard's own readers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from coordconv_rl.arms import parse_arm
from coordconv_rl.comparison import plan
from coordconv_rl.comparison.tensorboard import writer as tensorboard
from coordconv_rl.comparison.tensorboard.writer import Aggregates, seed_lines
from coordconv_rl.configs import to_yaml
from coordconv_rl.errors import InputError


def lines(folder: Path, arm: str, tag: str) -> dict[int, float]:
    """An arm's points by environment step, as TensorBoard shows them."""
    reader = EventAccumulator(str(folder / "by-arm" / arm))
    reader.Reload()
    return {p.step: float(tensor_util.make_ndarray(p.tensor_proto)) for p in reader.Tensors(tag)}


def go_on(path: Path) -> None:
    """Let a run of the fixture that stands at step 500 end a game at step 600."""
    with (path / "episodes.csv").open("a") as file:
        file.write("600,1200,400,1\n")
    record = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps(record | {"step": 600}))


def test_the_mean_low_and_high_are_over_the_seeds_so_far():
    rows = np.array([[1.0, 2.0, np.nan], [3.0, np.nan, np.nan]])
    expected = [[2.0, 2.0, np.nan], [1.0, 2.0, np.nan], [3.0, 2.0, np.nan]]
    np.testing.assert_array_equal(seed_lines(rows), expected)


def test_an_arm_has_one_line_a_game_and_it_follows_the_runs(folder):
    with Aggregates(folder) as aggregates:
        aggregates.update(["ppo/Pong/cnn/seed-5"])
        line = lines(folder, "cnn", "comparison_ppo/Pong")
        assert line[200] == 300.0  # of 200 and 400
        assert line[500] == 750.0
        assert line[600] == 600.0  # only one seed has come so far
        assert lines(folder, "cnn", "seeds_ppo/Pong low")[200] == 200.0
        assert lines(folder, "cnn", "seeds_ppo/Pong high")[200] == 400.0

        go_on(folder / "ppo/Pong/cnn/seed-5")
        aggregates.update(["ppo/Pong/cnn/seed-5"])
        assert lines(folder, "cnn", "comparison_ppo/Pong")[600] == 600.0  # too early to look again
        aggregates.update(["ppo/Pong/cnn/seed-5"], now=True)
    corrected = lines(folder, "cnn", "comparison_ppo/Pong")
    assert corrected == line | {600: 900.0, 580: corrected[580], 560: corrected[560]} | {
        step: corrected[step] for step in (520, 540)
    }
    assert sorted(corrected) == sorted(line)  # no step twice
    assert corrected[1000] == 1000.0


def test_a_second_launch_goes_on_with_the_same_lines(folder):
    for _ in range(2):
        with Aggregates(folder) as aggregates:
            aggregates.update((), now=True)
    line = lines(folder, "coordconv", "comparison_ppo/Pong")
    assert line[200] == 300.0
    assert len(line) == len(set(line))


def test_unchanged_lines_are_not_written_again(folder):
    with Aggregates(folder) as aggregates:
        aggregates.update((), now=True)
        (file,) = (folder / "by-arm/cnn").iterdir()
        before = file.stat().st_size
        aggregates.update(["ppo/Pong/cnn/seed-5"], now=True)
        assert file.stat().st_size == before > 0


def arms(*values):
    return {arm.label: arm for arm in map(parse_arm, values)}


def test_arms_are_told_apart_by_what_differs_between_them():
    found = tensorboard.arm_settings(arms("cnn", "coordconv", "coordconv-r"))
    assert found == {
        "cnn": {"arm": "cnn", "coordinates": "none", "radius": False},
        "coordconv": {"arm": "coordconv", "coordinates": "first", "radius": False},
        "coordconv-r": {"arm": "coordconv-r", "coordinates": "first", "radius": True},
    }
    assert tensorboard.arm_settings(arms("cnn")) == {"cnn": {"arm": "cnn"}}


def test_damage_is_reported_and_not_drawn_around(folder):
    (folder / "ppo/Pong/cnn/seed-3/episodes.csv").write_text("nonsense\n")
    with Aggregates(folder) as aggregates, pytest.raises(InputError, match=r"episodes\.csv"):
        aggregates.update(())


def test_lines_of_before_are_gone_for_all_are_drawn_anew(folder):
    for arm in ("cnn", "gone"):
        old = folder / "by-arm" / arm / "events.out.tfevents.9999999999.000000.there.1"
        old.parent.mkdir(parents=True)
        old.write_bytes(b"")
    with Aggregates(folder) as aggregates:
        aggregates.update((), now=True)
    assert not list(folder.rglob("*9999999999*"))
    assert lines(folder, "cnn", "comparison_ppo/Pong")


def test_runs_of_other_settings_are_in_no_line(folder):
    with Aggregates(folder) as aggregates:
        aggregates.update((), now=True)
    assert lines(folder, "cnn", "comparison_ppo/Pong")[200] == 300.0  # of 200 and 400
    for one in plan.expand(plan.read_experiment(folder)):
        if (one.arm, one.seed) == ("cnn", 5):
            other = to_yaml(replace(one, precision="float32"))
            (folder / one.run_id / "config.yaml").write_text(other)
    with Aggregates(folder) as aggregates:
        aggregates.update((), now=True)
    assert lines(folder, "cnn", "comparison_ppo/Pong")[200] in (200.0, 400.0)
