"""The report's figures and what is said about them."""

from __future__ import annotations

import pytest
from synthetic import make_experiment, report


@pytest.mark.filterwarnings("error", "ignore::DeprecationWarning")
def test_all_arms_with_seeds_of_every_length_fit_into_their_figures(tmp_path):
    arms = ("cnn", "coordconv", "coordconv-r", "coordconv-all", "coordconv-actor", "shuffled")
    make_experiment(
        tmp_path,
        lambda key: "running" if key[3] > 10 else "done",
        games=("Pong",),
        arms=arms,
        seeds=tuple(range(1, 13)),
    )
    assert "coordconv-actor (12 seeds; at least 10 where thin)" in report(tmp_path)
