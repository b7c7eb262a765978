"""What a study asks: data, networks, a loss and a measure, each task in one module of one shape.

A task's module has `data`, `build`, `judge` and `settings`, as a rule `loss` and `paint`, and ties
them together in its `STUDY`.

- `study`: what a study is made of, and how one is found by its name.
- `data`: Not-so-Clevr, made in memory.
- `networks`: blocks that several tasks share.
- `coordinate_classification`: a position in, the one pixel that lies there out.
- `coordinate_regression`: an image with one lit pixel in, its position out.
- `rendering`: a position in, the square around it out.
- `translation`: a control that wants translation invariance.
- `detection`: digits on a canvas in, boxes around them out.
- `digits`: pictures of handwritten digits, scikit-learn's or MNIST's.
- `detection_data`: one or two digits on each canvas, with their boxes.
- `boxes`: overlap, offsets and suppression of boxes.
- `proposals`: the anchors, examples, loss and proposals of a region proposal network.
- `region_network`: that network.
- `generation`: noise in, two objects on a canvas out.
- `shapes`: real images of two objects, and where objects are found.
- `collapse`: numbers for mode collapse.
- `adversaries`: generators and discriminators.
"""

from coordconv_rl.studies.tasks.adversaries import Adversaries
from coordconv_rl.studies.tasks.boxes import to_corners
from coordconv_rl.studies.tasks.data import CANVAS, split_positions
from coordconv_rl.studies.tasks.generation import draw_noise, generation_size
from coordconv_rl.studies.tasks.networks import penalised_kernels
from coordconv_rl.studies.tasks.proposals import true_iou
from coordconv_rl.studies.tasks.study import (
    MODELS,
    AdversarialSetting,
    Measure,
    ModelName,
    Setting,
    Study,
    load_study,
)

__all__ = [
    "CANVAS",
    "MODELS",
    "AdversarialSetting",
    "Adversaries",
    "Measure",
    "ModelName",
    "Setting",
    "Study",
    "draw_noise",
    "generation_size",
    "load_study",
    "penalised_kernels",
    "split_positions",
    "to_corners",
    "true_iou",
]
