"""The paper's own demonstration and its controls: supervised tasks of coordinates, in minutes.

One module a study, each of the same shape (data, build, loss, judge, settings, paint):
`coordinate_classification`, `coordinate_regression`, `rendering`, `translation`. What they share:
`options` (what can be asked for), `study` (what a study is), `data` (Not-so-Clevr), `networks`,
`training` and `records` (one training and its folder), `plan` and `pool` (all trainings of a
study, on all cores), `results`, `pictures`, `page`, `board` and `summary` (what comes out), and
`command`, which puts them together. This module imports no torch.
"""

from __future__ import annotations

from types import MappingProxyType

from coordconv_rl.studies.options import StudyOptions

STUDIES = MappingProxyType(
    {
        "coordinate-classification": "a position in, the one pixel that lies there out",
        "coordinate-regression": "an image with one lit pixel in, its position out",
        "rendering": "a position in, the 9x9 square around it out",
        "translation": "a control: is there a square at all, wherever it is",
    }
)

__all__ = ["STUDIES", "StudyOptions", "run_study"]


def run_study(name: str, *, options: StudyOptions) -> int:
    """Run a study, print what came out, and leave pictures and a page in its folder.

    Args:
        name: One of `STUDIES`.
        options: How to run it.

    Returns:
        The exit code: 0 done, 1 a training failed, 130 interrupted (called again, it goes on).

    Raises:
        InputError: The name is unknown, or the folder is in use, unwritable or of another study.
    """
    from coordconv_rl.cli.studies import run

    return run(name, options)
