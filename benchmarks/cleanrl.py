"""CleanRL's own script, `ppo_atari_envpool.py`, which trains from round to round.

It is started once as a user starts it, and stopped (SIGSTOP) while others have their turn. After
each iteration it prints a line: the time between such lines is what we measure.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

from coordconv_rl.configs.load import preset
from coordconv_rl.configs.schema import Hyperparameters

ENDLESS = 1_000_000_000  # environment steps
WARM_UPS = 1  # iterations
MARK = "SPS:"  # begins the line that ends an iteration


class CleanRL:
    """One training, with CleanRL's hyperparameters and the preset's sizes.

    With one thread the process is kept on one core, for EnvPool takes a thread for each core that
    it sees and the script has no option for it.

    Args:
        spec: See `specs.train_spec`; `folder` is where the script writes its events.

    Raises:
        RuntimeError: The script ended; what it said is in this process's own log.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        sizes = preset("ppo", spec["overrides"])
        self.steps = sizes.n_envs * sizes.n_steps
        self.process = subprocess.Popen(
            self.command(spec, sizes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            cwd=spec["folder"],
        )
        if spec["threads"] == 1:
            os.sched_setaffinity(self.process.pid, {min(os.sched_getaffinity(0))})
        for _ in range(WARM_UPS):
            self._iterate()
        self.process.send_signal(signal.SIGSTOP)

    def command(self, spec: dict[str, Any], sizes: Hyperparameters) -> list[str]:
        """Return the script with its options; what is not named here has CleanRL's defaults."""
        words = ["--env-id", f"{spec['game']}-v5", "--total-timesteps", str(ENDLESS)]
        words += ["--num-envs", str(sizes.n_envs), "--num-steps", str(sizes.n_steps)]
        words += ["--num-minibatches", str(self.steps // (sizes.batch_size or self.steps))]
        words += ["--update-epochs", str(sizes.n_epochs)]
        words += ["--cuda", str(spec["device"] != "cpu")]
        return [sys.executable, "-m", "cleanrl.ppo_atari_envpool", *words]

    def _iterate(self) -> None:
        """Read what the script prints up to an iteration's end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(MARK):
                return
        raise RuntimeError(f"CleanRL ended with code {self.process.wait()}")

    def measure(self, seconds: float) -> float:
        """Return environment steps a second over whole iterations, at least one."""
        done, began = 0, time.perf_counter()
        self.process.send_signal(signal.SIGCONT)
        while True:
            self._iterate()
            done += self.steps
            elapsed = time.perf_counter() - began
            if elapsed >= seconds:
                self.process.send_signal(signal.SIGSTOP)
                return done / elapsed

    def close(self) -> None:
        """End the script, which is stopped and could not end by itself."""
        self.process.kill()
        self.process.wait()
