"""The use of coordinates in the report: falls by arm, and between heads, with their sentences."""

from __future__ import annotations

import pytest
from synthetic import make_experiment, report, rows, write_inspection

ARMS = ("cnn", "coordconv", "coordconv-pool")
SEEDS = (1, 2, 3, 4, 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("used")
    make_experiment(made, arms=ARMS, seeds=SEEDS, games=("Pong",))
    for arm, fall in (("coordconv", 1.0), ("coordconv-pool", 9.0)):
        for seed in SEEDS:
            scores = {"trained": 10.0, "zeroed": 10.0 - fall - seed / 10, "permuted": 10.0 - seed}
            means = {name: {"mean": score} for name, score in scores.items()}
            write_inspection(made, ("ppo", "Pong", arm, seed), scores=means)
    report(made)
    return made


def test_the_report_says_whose_scores_fall_further(folder):
    page = (folder / "report" / "index.html").read_text()
    wanted = (
        "PPO, coordinates zeroed: the score of a coordconv-pool agent falls further than that of a "
        "coordconv agent with probability 1.00 (95% interval 1.00 to 1.00; p 0.0079, 0.016 "
        "corrected). coordconv-pool depends more on its coordinates than coordconv."
    )
    assert wanted in page
    assert "PPO, coordinates permuted" in page
    assert "No difference is shown." in page
    assert "PPO: fall of the human-normalised score, mean over games" in page
    assert wanted in (folder / "report" / "report.md").read_text().replace("\\", "")


def test_the_numbers_are_a_file(folder):
    table = rows(folder, "use_of_coordinates.csv")
    found = {(r["arm"], r["treatment"], r["statistic"]): r for r in table}
    width = 14.6 + 20.7  # from random to human play
    fall = found["coordconv-pool", "zeroed", "mean_fall"]
    assert float(fall["value"]) == pytest.approx(9.3 / width)
    assert fall["scale"] == "human-normalised"
    pair = found["coordconv-pool", "zeroed", "difference_of_falls"]
    assert float(pair["value"]) == pytest.approx(8.0 / width)
    chance = found["coordconv-pool", "permuted", "probability_of_larger_fall"]
    assert (float(chance["value"]), float(chance["p"]), chance["scale"]) == (0.5, 1.0, "rank")


def test_an_arm_that_never_falls_further_is_said_to_depend_less(tmp_path):
    make_experiment(tmp_path, arms=ARMS, seeds=SEEDS, games=("Pong",))
    for arm, fall in (("coordconv", 9.0), ("coordconv-pool", 1.0)):
        for seed in SEEDS:
            scores = {"trained": 10.0, "zeroed": 10.0 - fall - seed / 10, "permuted": 10.0}
            means = {name: {"mean": score} for name, score in scores.items()}
            write_inspection(tmp_path, ("ppo", "Pong", arm, seed), scores=means)
    said = "probability 0.00 (95% interval 0.00 to 0.00; p 0.0079, 0.016 corrected). coordconv-pool"
    assert f"{said} depends less on its coordinates than coordconv." in report(tmp_path)
