from __future__ import annotations

import pytest

from coordconv_rl.cli.games import reference_table
from coordconv_rl.cli.main import main
from coordconv_rl.envs import GAMES, SUITES
from coordconv_rl.errors import InputError


def test_games_lists_reference_scores(cli):
    done = cli("games", "--suite", "atari-10")
    assert done.returncode == 0
    assert "RoadRunner" in done.stdout
    assert "31,671.5" in done.stdout


@pytest.mark.parametrize("suite", SUITES)
def test_a_suites_table_has_its_games(suite):
    assert reference_table(suite).row_count == len(SUITES[suite])


def test_the_whole_table_has_minatar_s_games_too():
    assert reference_table().row_count == len(GAMES) + 5


def test_an_unknown_suite(capsys):
    assert main(["games", "--suite", "x"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: unknown suite 'x': choose from atari-10, atari-26")
    assert "None" not in said
    with pytest.raises(InputError, match="atari-5"):
        reference_table("atari-6")
