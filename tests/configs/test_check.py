from __future__ import annotations

import dataclasses

import pytest

from coordconv_rl.configs.check import check_run
from coordconv_rl.errors import InputError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gamma": 1.5}, "at most 1"),
        ({"learning_rate": float("nan")}, "finite"),
        ({"batch_size": 15}, "divide"),
        ({"batch_size": None}, "needs a batch_size"),
        ({"n_steps": 0}, "at least 1"),
    ],
)
def test_bad_hyperparameters(small_run, changes, message):
    good = small_run()
    bad = dataclasses.replace(good.hyperparameters, **changes)
    with pytest.raises(InputError, match=message):
        check_run(dataclasses.replace(good, hyperparameters=bad))


def test_more_workers_than_environments(small_run):
    with pytest.raises(InputError, match="only 2 environments"):
        check_run(small_run(workers=3))
