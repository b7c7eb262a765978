"""What holds for every study."""

from __future__ import annotations

import pytest
import torch

from coordconv_rl.studies import STUDIES
from coordconv_rl.studies.options import SPLITS
from coordconv_rl.studies.tasks.data import (
    split_positions,
)
from coordconv_rl.studies.tasks.networks import initialise
from coordconv_rl.studies.tasks.study import MODELS, load_study

CORNERS = torch.tensor([[4, 4], [59, 4], [4, 59], [31, 32]])


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("split", SPLITS)
def test_every_network_takes_its_data_and_gets_a_gradient_everywhere(name, split):
    study = load_study(name)
    assert study.name == name
    positions = split_positions(split, 0).train[::400]
    inputs, targets = study.data(positions, 0)
    for model in MODELS:
        setting = study.settings(model, split, False)[0]
        network = study.build(model, split, setting, 0)
        initialise(network, 0)
        outputs = network(inputs)
        study.loss(outputs, targets).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
        assert study.judge(outputs, targets).shape == (len(inputs),)
        assert study.paint(outputs.detach(), targets).shape == (64, 64)


@pytest.mark.parametrize("name", STUDIES)
def test_the_control_differs_from_coordconv_in_geometry_alone(name):
    study = load_study(name)
    inputs, _ = study.data(CORNERS, 0)
    networks = []
    for model in ("coordconv", "shuffled"):
        network = study.build(model, "uniform", study.settings(model, "uniform", False)[0], 0)
        initialise(network, 5)
        networks.append(network)
    ours, control = networks
    for one, other in zip(ours.parameters(), control.parameters(), strict=True):
        assert one.equal(other)
    assert not ours(inputs).allclose(control(inputs))
