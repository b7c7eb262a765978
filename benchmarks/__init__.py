"""Throughput of coordconv_rl against stock Stable-Baselines3 and RL Zoo, side by side.

`throughput` is the command, `parts` says what each part compares, `contest` alternates the
contestants and computes medians, `output` makes tables and JSON. What is measured lives in
processes of its own: `worker` serves `subjects` and `layers` to `remote`, and `processes` runs
the real training commands. `memory` reads peaks. Not installed with the package.
"""
