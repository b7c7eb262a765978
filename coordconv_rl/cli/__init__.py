"""The command line: options from the configurations' own classes, and what each command does.

- `main`: the commands by name, and their exit codes.
- `parse`: words to a command; what makes no sense becomes one line.
- `train`: `train`.
- `agents`: `evaluate`, `watch`, `inspect` and `export-sb3`.
- `hub`: `push` and `load`.
- `comparison`: `compare`, `report` and `tensorboard`.
- `studies`: `study`.
- `games`: `games`.
- `choices`: `arms` and `experiments`.
- `serve`: a command for one folder after another in one process.
"""

from coordconv_rl.cli.main import main as run_command_line
from coordconv_rl.cli.serve import serve_folders

__all__ = ["run_command_line", "serve_folders"]
