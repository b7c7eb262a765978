"""Throughput of coordconv_rl against stock Stable-Baselines3 and others, side by side.

`throughput` is the command, `parts` (with `quick`) says what each part compares, in the words of
`specs`; `contest` alternates the contestants and computes medians, `output` makes tables and JSON.
What is measured lives in processes of its own: `worker` serves `subjects`, `opponents`, `cleanrl`
and `layers` to `remote`, and `processes` runs the real training commands.
`memory` reads peaks. `survival` kills what `kill_subjects` lists (`killing`, `victims`) and times
`checkpoints`. `precision` and `overview` time nothing: they compare scores. Not installed with the
package.
"""
