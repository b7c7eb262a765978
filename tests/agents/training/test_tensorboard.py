from __future__ import annotations

from stable_baselines3.common.logger import Logger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from coordconv_rl.agents.training import TensorBoardLog, hyperparameters


def write(folder, first, steps):
    logger = Logger(str(folder), [TensorBoardLog(folder, first)])
    for step in steps:
        logger.record("a/b", float(step))
        logger.dump(step)
    logger.close()


def test_what_a_killed_attempt_wrote_past_its_checkpoint_is_hidden(tmp_path):
    write(tmp_path, None, [10, 20, 30])
    write(tmp_path, 21, [30, 40])  # went on from a checkpoint at 20
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [point.step for point in events.Scalars("a/b")] == [10, 20, 30, 40]


def test_runs_are_compared_by_what_tells_them_apart(small_run):
    found = hyperparameters(small_run("a2c", seed=5))
    assert (found["algo"], found["seed"], found["n_envs"]) == ("a2c", 5, 2)
