from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest
import tyro

from coordconv_rl.cli.parse import Command, option_names, read_known, read_options
from coordconv_rl.errors import InputError


@dataclass(frozen=True)
class Bake(Command):
    """Bake.

    Attributes:
        cake: Which.
        minutes: How long.
        degrees: How hot.
        flour: Of what.
        glaze: Whether it shines.
    """

    cake: tyro.conf.Positional[str]
    minutes: int = 30
    degrees: float | None = None
    flour: Literal["wheat", "rye"] = "wheat"
    glaze: bool = False

    def run(self) -> int:
        return 0


def test_words_become_a_command():
    read = Bake.read(["pound", "--minutes", "5", "--degrees=1e2", "--glaze"], "bake")
    assert read == Bake("pound", 5, 100.0, "wheat", True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "STR is missing (see bake --help)"),
        (["pound", "cup"], "'cup' is one word too many (see bake --help)"),
        (
            ["pound", "--minuets", "5"],
            "unknown option '--minuets': did you mean --minutes? (see bake --help)",
        ),
        (["pound", "--gloze=1"], "unknown option '--gloze': did you mean --glaze or --no-glaze"),
        (["--minuets", "5"], "unknown option '--minuets': did you mean --minutes? (see bake"),
        (["--cake=pound"], "unknown option '--cake': "),
        (["pound", "--flour", "ry"], "unknown flour 'ry': did you mean rye?"),
        (["pound", "--minutes"], "Missing value for argument '--minutes'"),
        (["pound", "--minutes", "5.5"], "--minutes is '5.5': it must be a whole number (see"),
        (["pound", "--degrees", "hot"], "--degrees is 'hot': it must be a number (see bake"),
        (["pound", "--degrees", "None"], "--degrees is 'None': it must be a number"),
    ],
)
@pytest.mark.parametrize("width", ["80", "200"])
def test_what_makes_no_sense_is_one_line(monkeypatch, words, said, width):
    monkeypatch.setenv("COLUMNS", width)
    with pytest.raises(InputError) as caught:
        Bake.read(words, "bake")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_unknown_words_come_back():
    known, rest = read_known(Bake, ["pound", "--oven", "2", "--minutes", "7"], "bake")
    assert (known.cake, known.minutes) == ("pound", 7)
    assert rest == ["--oven", "2"]


def test_what_is_not_typed_is_the_defaults():
    default = Bake("sponge", 12, flour="rye")
    assert read_options(Bake, ["--glaze"], "bake", default) == Bake("sponge", 12, None, "rye", True)


def test_option_names_are_those_of_the_help():
    assert option_names(Bake) == [
        "--degrees", "--flour", "--glaze", "--help", "--minutes", "--no-glaze",
    ]  # fmt: skip


def test_a_command_that_does_nothing_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Command.read([], "prog")
