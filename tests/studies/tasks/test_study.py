"""What holds for every study of positions, and for what studies are made of."""

from __future__ import annotations

import pytest

from coordconv_rl.studies import STUDIES
from coordconv_rl.studies.options import POSITION_SPLITS
from coordconv_rl.studies.tasks.study import MODELS, Measure, Paper, load_study

OF_POSITIONS = ("coordinate-classification", "coordinate-regression", "rendering", "translation")


@pytest.mark.parametrize("name", STUDIES)
def test_studies_have_their_names_and_say_what_their_splits_are(name):
    study = load_study(name)
    assert study.name == name
    assert all(study.splits.values())


@pytest.mark.parametrize("name", OF_POSITIONS)
@pytest.mark.parametrize("split", POSITION_SPLITS)
def test_every_network_takes_its_data_and_gets_a_gradient_everywhere(name, split):
    study = load_study(name)
    inputs, targets = (part[::400] for part in study.data(split, 0, None).train)
    for model in MODELS:
        setting = study.settings(model, split, False)[0]
        network = study.build(model, split, setting, 0)
        outputs = network(inputs)
        study.loss(outputs, targets).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
        assert study.judge(outputs, targets).shape == (len(inputs),)
        assert study.paint(outputs.detach(), targets).shape == (64, 64)


@pytest.mark.parametrize("name", OF_POSITIONS)
def test_the_control_differs_from_coordconv_in_geometry_alone(name):
    study = load_study(name)
    inputs = study.data("uniform", 0, None).test[0][:4]
    networks = []
    for model in ("coordconv", "shuffled"):
        setting = study.settings(model, "uniform", False)[0]
        networks.append(study.build(model, "uniform", setting, 0))
    ours, control = networks
    for one, other in zip(ours.parameters(), control.parameters(), strict=True):
        assert one.equal(other)
    assert not ours(inputs).allclose(control(inputs))


def test_a_measure_without_a_goal_asks_for_nothing():
    measure = Measure("IoU", "", best=1.0, goal=None)
    assert measure.is_reached(0.1)
    assert not Measure("IoU", "", best=1.0, goal=0.5).is_reached(0.1)


def test_the_papers_sentence_names_what_is_known():
    assert Paper("fast", "-").sentence.endswith("CoordConv: fast.")
    assert Paper("-", "-").sentence == "The paper (Liu et al. 2018, arXiv 1807.03247)."
