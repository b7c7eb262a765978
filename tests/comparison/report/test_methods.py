"""How an experiment was made, from its runs' records."""

from __future__ import annotations

from synthetic import SMALL, make_experiment, report


def test_a_record_that_lacks_facts_does_no_harm(tmp_path):
    make_experiment(tmp_path, **SMALL)
    run = tmp_path / "ppo/Pong/cnn/seed-2/run.json"
    text = run.read_text().replace('"parameters": 1686693', '"parameters": null')
    run.write_text(
        text.replace('"seconds": 400.0', '"seconds": null').replace('"machine"', '"other"')
    )
    html = report(tmp_path)
    assert "unknown (1 run)" in html
    assert "1,686,693" in html
