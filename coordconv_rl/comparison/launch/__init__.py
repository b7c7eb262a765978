"""An experiment from its start, or from where it stopped, to its tables.

Names are imported when first used: who asks for the status needs no scheduler.

- `compare`: the command: takes up what is asked for, runs what is missing, ends with the tables.
- `options`: how it is launched.
- `growth`: what a folder holds against what is asked for now.
- `estimate`: what the missing runs cost: steps, cores, hours and disk.
- `ledger`: what became of every run, held by the launcher and appended to.
- `scheduler`: which run starts, which has ended and how, which is tried again.
- `active`: a run that has a process, and whether it makes progress.
- `backend`: what the scheduler asks of a place where processes run.
- `local`: one process a run on this machine.
- `ray_backend`: one Ray actor a run, somewhere on a cluster.
- `slurm_backend`: one SLURM job a run.
- `terminal`: what is shown while runs go on.
- `status`: what is shown when somebody asks later.
- `inspector`: a process that inspects one agent after another.
- `inspect_agents`: the inspections at the end, some at a time.
- `closing`: the tables, files and the report at the end.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
