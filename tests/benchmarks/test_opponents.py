"""The benchmark's opponents: ale_py's environments, CleanRL's turns, the main table."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3 import A2C
from waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("not a checkout", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from benchmarks.cleanrl import CleanRL  # noqa: E402
from benchmarks.contest import summary  # noqa: E402
from benchmarks.opponents import AleVecEnv  # noqa: E402
from benchmarks.quick import main_table  # noqa: E402
from benchmarks.specs import ALE, SB3, Choice, left_out, train_spec  # noqa: E402
from benchmarks.throughput import Options, plan  # noqa: E402
from coordconv_rl.envs import AtariVecEnv  # noqa: E402
from coordconv_rl.errors import InputError  # noqa: E402

CHOICE = Choice(2, ("Breakout",), (8,), "cpu", ("coordconv",), ("float32",))
LINES = "import time\nwhile True: print('SPS: 1', flush=True); time.sleep(0.02)"


@pytest.mark.parametrize("game", ["Breakout", "UpNDown"])
def test_ale_pys_environments_are_alike(game):
    with closing(AleVecEnv(game, 2, 1)) as theirs, closing(AtariVecEnv(game, 2)) as ours:
        assert theirs.observation_space == ours.observation_space
        assert theirs.action_space == ours.action_space
        images = theirs.reset()
        assert (images.shape, images.dtype) == ((2, 4, 84, 84), np.uint8)


def test_ale_pys_episodes_end_as_sb3_expects():
    with closing(AleVecEnv("Breakout", 2, 1)) as env:
        env.reset()
        for _ in range(200):
            images, rewards, dones, infos = env.step(np.array([3, 3]))
            if dones.any():
                break
        assert rewards.dtype == np.float32
        (ended, *_) = dones.nonzero()[0]
        last = infos[ended]["terminal_observation"]
        assert last.shape == images[ended].shape
        assert not np.array_equal(last, images[ended])  # the next episode's
        assert not infos[ended]["TimeLimit.truncated"]
        assert A2C("CnnPolicy", env).learn(20)._n_updates == 2


class Printing(CleanRL):
    """Prints as CleanRL's script does, and trains nothing."""

    code = LINES

    def command(self, spec, sizes):
        return [sys.executable, "-c", self.code]


def state(process):
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="reads /proc")
def test_cleanrl_rests_between_its_turns(tmp_path):
    subject = Printing(train_spec("cleanrl", CHOICE) | {"folder": str(tmp_path)})
    for _ in range(2):
        rate = subject.measure(0.1)
        assert rate < 2 * 1024 / 0.02  # it sleeps so long, of which a part may be before its turn
        wait_for(lambda: state(subject.process) == "T")
    subject.close()
    assert subject.process.returncode == -9


def test_cleanrl_that_ends_is_no_measurement(tmp_path):
    class Ending(Printing):
        code = "print('no such game'); raise SystemExit(3)"

    with pytest.raises(RuntimeError, match="code 3"):
        Ending(train_spec("cleanrl", CHOICE) | {"folder": str(tmp_path)})


def test_the_quick_plan_has_everybody_who_is_here():
    contests = plan(Options(quick=True, precisions="float32"), cores=2)
    assert all(contest.baselines == (SB3,) for contest in contests)
    first, *_ = contests
    others = [f"SB3 on {ALE}"] + ["CleanRL on EnvPool"] * ("CleanRL" not in left_out())
    assert list(first.contestants) == ["ours, float32", SB3, *others]
    assert not any("all" in c.title for c in plan(Options(quick=True), cores=1))
    with pytest.raises(InputError, match="of the processor"):
        plan(Options(quick=True, device="cuda"), cores=1)


def test_the_main_table_takes_our_best():
    contest = plan(Options(quick=True, precisions="float32"), cores=1)[0]
    values = {"ours, bfloat16": [6.0, 9.0], "ours, float32": [5.0, 4.0], SB3: [2.0, 3.0]}
    table = main_table([summary(contest, values, {}), summary(contest, {}, {"ours": "gone"})])
    columns = [list(column.cells) for column in table.columns]
    assert [column[0] for column in columns[1:]] == ["8", "2", "", "", "3.00 (3.00-3.00)"]
    assert [column[1] for column in columns[1:]] == [""] * 5
