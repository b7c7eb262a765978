"""Comparing arms across algorithms, games and seeds, from a plan to a report.

What runs: `plan` (the runs and their ids), `launch` (the command), `scheduler` (which run starts,
ended, is tried again), `preparation` (a run's folder), `backend` with `local` and `ray_backend`
(where processes are), `ledger` and `locks` (what became of each run), `display` (the terminal).

What came out: `readers` and `results` (folders as data), `scores` and `closing` (tables at the
end), `figures`, `tensorboard` and `events` (the comparison while it runs), `statistics`,
`bootstrap` and `analysis` (numbers with intervals), `report` and its parts (the page).
"""
