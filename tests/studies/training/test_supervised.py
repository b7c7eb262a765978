"""A training's parts, steps and evaluations."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from small_study import SETTING, SMALL, unit

from coordconv_rl.studies.tasks import rendering
from coordconv_rl.studies.training.plan import Unit
from coordconv_rl.studies.training.supervised import Training


def test_a_training_to_choose_by_sees_nothing_of_the_test_part(tmp_path):
    train, validation, test = SMALL.data("quadrant", 0, None)
    choice = Training(unit(judged="validation"), SMALL, tmp_path)
    assert choice.train[0].equal(train[0])
    assert choice.test[1].equal(validation[1])
    final = Training(unit(), SMALL, tmp_path)
    assert final.train[1].equal(torch.cat([train[1], validation[1]]))
    assert final.test[0].equal(test[0])


def test_what_a_step_draws_depends_on_seed_and_step_alone(tmp_path):
    def loss(outputs, targets):
        drawn.append(torch.rand(()).item())
        return SMALL.loss(outputs, targets)

    drawn = []
    study = dataclasses.replace(SMALL, loss=loss)
    for seed in (0, 0, 1):
        training = Training(unit(seed=seed), study, tmp_path)
        torch.rand(3)  # somebody else's draws
        for examples in (torch.tensor([1]), torch.tensor([2])):
            training.step(examples)
    assert drawn[:2] == drawn[2:4]
    assert len(set(drawn)) == 4


def test_somebody_elses_draws_go_on_as_if_nothing_had_been_drawn(tmp_path):
    training = Training(unit(), SMALL, tmp_path)
    torch.manual_seed(5)
    wanted = torch.rand(2)
    torch.manual_seed(5)
    training.step(torch.tensor([0]))
    assert torch.rand(2).equal(wanted)


def test_step_sizes_fall_to_a_tenth(tmp_path):
    training = Training(unit(), SMALL, tmp_path)
    training.result.steps = 3 * training.epoch_steps - 1
    assert training.step_size_factor == 1
    training.result.steps += 1
    assert training.step_size_factor == pytest.approx(0.1)
    training.step(torch.tensor([0]))
    rates = [group["lr"] for group in training.optimizer.param_groups]
    assert rates == 2 * [pytest.approx(SETTING.learning_rate / 10)]


def test_the_penalty_waits_for_three_epochs_and_leaves_the_painting_alone(tmp_path):
    setting = rendering.settings("coordconv", "quadrant", full=False)[0]
    wanted = Unit("rendering", "quadrant", "coordconv", setting, 0, 1.0)
    study = dataclasses.replace(rendering.STUDY, data=lambda *_: _few(rendering.STUDY.data(*_)))
    training = Training(wanted, study, tmp_path)
    training.result.steps = 3 * training.epoch_steps - 1
    penalties = []
    for _ in range(2):
        training.step(torch.tensor([0]))
        penalised, free = training.optimizer.param_groups
        penalties.append(penalised["weight_decay"])
    assert penalties == [0, 2 * setting.l2]  # nothing has to be painted yet for three epochs
    assert free["weight_decay"] == 0
    assert {tuple(weight.shape[2:]) for weight in penalised["params"]} == {(1, 1)}
    weights = sum(len(group["params"]) for group in (penalised, free))
    assert weights == len(list(training.network.parameters()))


def _few(parts):
    return type(parts)(*(tuple(values[:20] for values in part) for part in parts))


def test_the_end_has_all_training_examples_and_what_the_pictures_need(tmp_path):
    study = dataclasses.replace(
        SMALL, measures=lambda outputs, targets: {"count": float(len(outputs))}
    )
    training = Training(unit(), study, tmp_path)
    training.evaluate(0.5)
    drawn = training.finish()
    assert [point.step for point in training.result.curve] == [0]  # the last takes its place
    assert training.result.measures == {"count": len(training.test[0])}
    assert drawn["canvases"].shape == (2, 64, 64)
    painted = training.study.paint(
        training.network.eval()(training.train[0]).detach(), training.train[1]
    )
    torch.testing.assert_close(drawn["canvases"][0], painted)
