from __future__ import annotations

import dataclasses

import torch

from coordconv_rl.studies.tasks import coordinate_classification as classification


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_classification_has_the_papers_parameter_count():
    # 4*32+32 + 32*32+32 + 32*64+64 + 64*64+64 + 64+1
    network = classification.build("coordconv", "uniform", classification.COORDCONV["uniform"], 0)
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


def test_the_control_may_have_the_authors_l2():
    (ours,) = classification.settings("coordconv", "quadrant", False)
    same, mild = classification.settings("shuffled", "quadrant", False)
    assert same == ours
    assert mild == dataclasses.replace(ours, l2=0.001)
