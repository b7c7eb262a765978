"""Comparing arms across algorithms, games and seeds, from a plan to a report.

Names are imported when first used.

- `plan`: an experiment's runs and their ids; the folder that remembers the experiment.
- `baselines`: which arm is compared with which.
- `entries`: what the ledger's lines say: what became of a run, or who asked for which runs.
- `launch`: starts what is missing, watches it, ends with tables and a report.
- `results`: an experiment's folder as data.
- `learning_curves`: scores over the training, from its games.
- `export`: a comparison without its checkpoints.
- `statistics`: numbers with intervals.
- `report`: the page, its figures, tables and files.
- `tensorboard`: the comparison while it runs.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
