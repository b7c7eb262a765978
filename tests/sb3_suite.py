"""Run the tests of Stable-Baselines3 and sb3-contrib with our classes in the place of theirs.

    git clone --depth 1 https://github.com/DLR-RM/stable-baselines3
    git clone --depth 1 https://github.com/Stable-Baselines-Team/stable-baselines3-contrib
    python tests/sb3_suite.py stable-baselines3 stable-baselines3-contrib

takes the tests from there, of the version that is installed at best, and everything else from what
is installed. What fails is run again without ours. Prints a table and each failure, and exits with
1 if something fails with ours alone. What stands in for what: `helpers/stand_in.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SB3 = {
    "test_cnn": "",
    "test_gae": "",
    "test_predict": "PPO or A2C",
    "test_deterministic": "PPO or A2C",
    "test_custom_policy": "PPO or A2C or dict or schedule",
    "test_dict_env": "PPO or A2C or consistency or vec or both or normalize",
    "test_train_eval_mode": "PPO or A2C or ppo or a2c or dqn",
    "test_spaces": "PPO or A2C or env or action",
    "test_sde": "",
    "test_callbacks": "PPO or A2C or not model",
    "test_run": "ppo or a2c or PPO or A2C",
    "test_save_load": "PPO or A2C or CnnPolicy or warn or open_file",
    "test_buffers": "",
    "test_utils": "not subproc",
    "test_logger": "PPO or A2C or fps or rollout",
    "test_distributions": "",
    "test_identity": "PPO or A2C",
    "test_tensorboard": "PPO or A2C",
    "test_vec_monitor": "",
}
CONTRIB = {
    "test_cnn": "",
    "test_invalid_actions": "",
    "test_lstm": "",
    "test_save_load": "CnnPolicy or TRPO or MaskablePPO or RecurrentPPO",
    "test_dict_env": "TRPO or QRDQN or Maskable or PPO",
}
"""Which tests of a file are run, as pytest's -k: those of algorithms without ours are not.

Files where no test uses a class of ours (environments, wrappers, preprocessing) are left out.
"""

EXPECTED = {
    "test_image_like_input[True-": "refused as by SB3, as an InputError instead of AssertionError",
    "test_ppo_warnings": "SB3's warning about GPUs names the class, FastPPO",
}
"""Parts of the ids of tests that cannot pass with ours, and why."""

HEAD = """
| file | run | with ours | fast | passed | skipped | failed with stock too | with ours alone |
|---|---|---|---|---|---|---|---|"""
"""With ours: tests that used a class of ours; fast: those where features were computed fast."""


def run(
    checkout: Path, tests: Iterable[str], *options: str, minutes: float
) -> list[dict[str, Any]]:
    """Return the outcomes of tests, `file` or `file::test`, as far as they ended in time."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(checkout / "tests", Path(folder, "tests"))
        Path(folder, "pytest.ini").write_text("[pytest]\nmarkers = expensive\n")
        outcomes = Path(folder, "outcomes")
        outcomes.touch()
        helpers = Path(__file__).with_name("helpers")
        env = os.environ | {"PYTHONPATH": str(helpers), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "stand_in", "--outcomes", outcomes]
        with Path(folder, "log").open("w+") as log:
            try:
                subprocess.run(
                    [*map(str, command), *options, *tests], cwd=folder, env=env, check=False,
                    stdout=log, stderr=log, timeout=60 * minutes,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                print(f"cut after {minutes:g} minutes: {', '.join(tests)}")
        found = [json.loads(line) for line in outcomes.read_text().splitlines()]
        if not found:
            print(Path(folder, "log").read_text()[-2000:])
        return found


def compare(checkout: Path, name: str, chosen: str, minutes: float) -> tuple[list[Any], list[Any]]:
    """Run a file with ours, and what fails with stock too; return the outcomes and failures."""
    choice = ["-k", chosen] if chosen else []
    found = run(checkout, [f"tests/{name}.py"], "--ours", *choice, minutes=minutes)
    failed = [one for one in found if one["outcome"] == "failed"]
    if failed:
        ids = [one["id"].replace("Fast", "") for one in failed]
        stock = {one["id"]: one for one in run(checkout, ids, minutes=minutes)}
        for one, name_there in zip(failed, ids, strict=True):
            there = stock.get(name_there, {"outcome": "not run", "text": ""})
            one["stock"], one["stock text"] = there["outcome"], there["text"]
    return found, failed


def main() -> int:
    """Run the files of each checkout and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", nargs="+", type=Path, help="of SB3 or sb3-contrib")
    parser.add_argument("--only", nargs="*", default=[], help="files, such as test_cnn")
    parser.add_argument("--minutes", type=float, default=10, help="for one file")
    args = parser.parse_args()
    rows, alone = [], 0
    for checkout in args.checkout:
        is_contrib = (checkout / "tests" / "test_lstm.py").exists()
        for name, chosen in (CONTRIB if is_contrib else SB3).items():
            if args.only and name not in args.only:
                continue
            found, failed = compare(checkout, name, chosen, args.minutes)
            ours = [one for one in failed if one["stock"] == "passed"]
            for one in failed:
                reason = next((why for part, why in EXPECTED.items() if part in one["id"]), "")
                alone += one in ours and not reason
                print(f"{one['id']}\n  ours: {one['text']}\n  stock: {one['stock']} "
                      f"{one['stock text']}\n  {reason}", flush=True)  # fmt: skip
            kinds = [one["outcome"] for one in found]
            counts = (
                len(found) - kinds.count("skipped"), sum(bool(one["ours"]) for one in found),
                sum("fast" in one["ours"] for one in found),
                kinds.count("passed"), kinds.count("skipped"), len(failed) - len(ours), len(ours),
            )  # fmt: skip
            label = ("contrib " if is_contrib else "") + name
            rows.append(f"| {label} | {' | '.join(map(str, counts))} |")
            print(rows[-1], flush=True)
    print(HEAD)
    print("\n".join(rows))
    return int(alone > 0)


if __name__ == "__main__":
    sys.exit(main())
