"""What a run and an experiment are: frozen dataclasses, validated strictly, and their YAML files.

- `types`: what fields hold, how the command line reads them, and ids made of them.
- `hyperparameters`: an algorithm's settings.
- `schema`: the dataclasses; their fields are the keys of the YAML files and the command's options.
- `check`: what no type can say: names that exist, numbers that make sense.
- `check_games`: whether what is asked for fits its games.
- `load`: YAML to configuration and back.

`presets/` holds the algorithms' hyperparameters, `experiments/` the comparisons that come with the
package.
"""

from coordconv_rl.configs.check import (
    check_run,
    check_seed,
    check_trust,
    needs_code,
    needs_trust,
)
from coordconv_rl.configs.check_games import check_offers, unused_settings
from coordconv_rl.configs.hyperparameters import Hyperparameters
from coordconv_rl.configs.load import (
    DEFAULT_RUN,
    experiment_names,
    load_experiment,
    load_run,
    new_run,
    parse,
    preset,
    read_yaml,
    to_yaml,
)
from coordconv_rl.configs.schema import (
    Evaluation,
    ExperimentConfig,
    RunConfig,
)
from coordconv_rl.configs.types import Algo, Protocol, SuiteName, game_folder, make_run_id

__all__ = [
    "DEFAULT_RUN",
    "Algo",
    "Evaluation",
    "ExperimentConfig",
    "Hyperparameters",
    "Protocol",
    "RunConfig",
    "SuiteName",
    "check_offers",
    "check_run",
    "check_seed",
    "check_trust",
    "experiment_names",
    "game_folder",
    "load_experiment",
    "load_run",
    "make_run_id",
    "needs_code",
    "needs_trust",
    "new_run",
    "parse",
    "preset",
    "read_yaml",
    "to_yaml",
    "unused_settings",
]
