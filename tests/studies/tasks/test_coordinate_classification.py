from __future__ import annotations

import torch

from coordconv_rl.studies.tasks import coordinate_classification as classification


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_classification_has_the_papers_parameter_count():
    # 4*32+32 + 32*32+32 + 32*64+64 + 64*64+64 + 64+1
    network = classification.build("coordconv", "uniform", classification.COORDCONV[0], 0)
    assert count(network) == 7553


def test_judge_of_classification():
    logits = torch.zeros(2, 1, 64, 64)
    logits[:, 0, 5, 7] = 1
    assert classification.judge(logits, torch.tensor([5 * 64 + 7, 0])).tolist() == [1, 0]


def test_the_full_grid_is_the_papers():
    assert len(classification.paper_grid()) == 324
    full = classification.settings("convolution", "uniform", True)
    assert set(classification.BASELINE) <= set(full)
    assert len({setting.name for setting in full}) == len(full)


def test_coordconv_and_its_control_choose_from_the_same_settings():
    ours = classification.settings("coordconv", "quadrant", False)
    assert 0.001 in [setting.l2 for setting in ours]  # the authors'
    assert classification.settings("shuffled", "quadrant", False) == ours
    assert classification.settings("coordconv", "uniform", True) == ours
