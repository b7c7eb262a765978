"""Comparing arms across algorithms, games and seeds, from a plan to a report.

- `plan`: an experiment's runs and their ids; the folder that remembers the experiment.
- `entries`: what the ledger's lines say: what became of a run, or who asked for which runs.
- `launch`: starts what is missing, watches it, ends with tables and a report.
- `results`: an experiment's folder as data.
- `statistics`: numbers with intervals.
- `report`: the page, its figures, tables and files.
- `tensorboard`: the comparison while it runs.
"""
