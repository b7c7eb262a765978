from __future__ import annotations

import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.runs import (
    GameEnd,
    GameLog,
    NotWhole,
    by_hand_path,
    read_evaluation,
    summarise,
    write_evaluation,
)

RESULT = {"format": 1, "run": "r", "step": 64, "seed": 7, "episodes": 2}


def result(*scores: float, **changes: object) -> dict[str, object]:
    return RESULT | {"stochastic": summarise(scores, None), "greedy": None} | changes


def test_summary_by_hand():
    found = summarise([1.0, 2.0, 6.0], 0.5)
    assert found["mean"] == 3.0
    assert found["std"] == pytest.approx(7**0.5)
    assert summarise([4.0], None)["std"] == 0.0


def test_scores_that_are_no_numbers_have_no_summary():
    with pytest.raises(InputError, match="a game ended with the score nan"):
        summarise([1.0, float("nan")], None)


def test_what_is_written_is_read_and_told_if_changed(tmp_path):
    path = by_hand_path(tmp_path, RESULT)
    assert path == tmp_path / "evaluations" / "step-64-seed-7-games-2-sampled.json"
    both = by_hand_path(tmp_path, RESULT | {"greedy": summarise([1.0], None)})
    assert both.name == "step-64-seed-7-games-2.json"
    assert write_evaluation(path, result(1.0, 3.0)) == path.read_bytes()
    found = read_evaluation(path)
    assert found is not None
    assert found["stochastic"]["mean"] == 2.0
    path.write_text(path.read_text().replace("3.0", "4.0"))
    with pytest.raises(NotWhole):
        read_evaluation(path)
    assert read_evaluation(tmp_path / "none") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"stochastic": None}, {"stochastic": []}, {"stochastic": {"mean": True}},
        {"stochastic": {"mean": 5.0, "scores": [1.0]}}, {"stochastic": {"mean": 1.0, "scores": []}},
        {"stochastic": {"mean": 1.0, "scores": [True]}}, {"greedy": {"mean": "x"}},
        {"step": 1.5}, {"seed": -1}, {"episodes": True},
        {"stochastic": {"mean": 1.0, "std": "wide"}},
    ],
)  # fmt: skip
def test_every_number_is_looked_at(tmp_path, changes):
    path = tmp_path / "evaluation.json"
    write_evaluation(path, result(1.0, **changes))
    with pytest.raises(InputError, match=r"evaluation\.json is damaged"):
        read_evaluation(path)


def test_games_so_far_come_back(tmp_path):
    path = tmp_path / "progress"
    ends = [GameEnd("stochastic", 3, 1.5, 400), GameEnd("greedy", 0, 0.0, 1800, True)]
    with GameLog(path, RESULT) as games:
        assert games.ends == []
        for end in ends:
            games.add(end)
    with path.open("a") as file:
        file.write('{"actions": "greedy", "ga')  # a kill in the middle of a line
    with GameLog(path, RESULT) as games:
        assert games.ends == ends
        games.add(GameEnd("greedy", 1, 2.0, 40))
    with GameLog(path, RESULT) as games:
        assert len(games.ends) == 3
    with GameLog(path, RESULT | {"step": 65}) as games:  # of another checkpoint
        assert games.ends == []


@pytest.mark.parametrize("line", ["{}", "[]", "1e999", '{"actions":"greedy","game":"x","score":1.0,'
                                  '"frames":1,"still":false}', "\x00"])  # fmt: skip
def test_games_after_a_damaged_line_are_played_again(tmp_path, line):
    path = tmp_path / "progress"
    with GameLog(path, RESULT) as games:
        games.add(GameEnd("stochastic", 0, 1.0, 4))
    with path.open("a") as file:
        file.write(line + "\n")
    with GameLog(path, RESULT) as games:
        games.add(GameEnd("stochastic", 1, 1.0, 4))
    with GameLog(path, RESULT) as games:
        assert [end.game for end in games.ends] == [0, 1]
