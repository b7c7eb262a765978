"""The paper's own demonstration and its controls: supervised tasks of coordinates, in minutes.

- `options`: which studies there are, and what one can be asked for.
- `tasks`: what a study asks: data, networks, loss and measure.
- `training`: all trainings of a study, on all cores, each in a folder of its own.
- `report`: what came out: tables, pictures, a page.

This module imports no torch; the command `coordconv-rl study` puts the three folders together.
"""

from __future__ import annotations

from coordconv_rl.studies.options import STUDIES, StudyName, StudyOptions

__all__ = ["STUDIES", "StudyName", "StudyOptions"]
