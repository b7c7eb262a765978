"""What a study asks: data, networks, a loss and a measure, each task in one module of one shape.

A task's module has `data`, `build`, `loss`, `judge`, `settings` and `paint`, and ties them together
in its `STUDY`.

- `study`: what a study is made of, and how one is found by its name.
- `data`: Not-so-Clevr, made in memory.
- `networks`: blocks that several tasks share.
- `coordinate_classification`: a position in, the one pixel that lies there out.
- `coordinate_regression`: an image with one lit pixel in, its position out.
- `rendering`: a position in, the square around it out.
- `translation`: a control that wants translation invariance.

Parts of further tasks:

- `digits`: pictures of handwritten digits.
- `detection_data`: fields of one or two digits, each with its box.
- `boxes`: boxes in pixels: overlap, offsets from anchors, suppression of near copies.
- `proposals`: a region proposal network's anchors, examples, loss and proposals.
- `region_network`: that network, after the authors'.
- `shapes`: two objects on white, and where they are found.
- `adversaries`: generators and discriminators.
- `collapse`: how much of what is real a generator produces.
"""

from coordconv_rl.studies.tasks.data import CANVAS, split_positions
from coordconv_rl.studies.tasks.networks import initialise
from coordconv_rl.studies.tasks.study import (
    MODELS,
    Measure,
    ModelName,
    Setting,
    Study,
    load_study,
)

__all__ = [
    "CANVAS",
    "MODELS",
    "Measure",
    "ModelName",
    "Setting",
    "Study",
    "initialise",
    "load_study",
    "split_positions",
]
