"""YAML to configuration and back: strict types, no unknown or repeated keys, one line on errors."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Hashable, Mapping
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from coordconv_rl.arms import arm_value, parse_arm
from coordconv_rl.configs.check import check_experiment, check_run
from coordconv_rl.configs.check_games import check_new_run
from coordconv_rl.configs.hyperparameters import Hyperparameters
from coordconv_rl.configs.schema import ExperimentConfig, RunConfig
from coordconv_rl.configs.types import from_json, plain_number
from coordconv_rl.envs import ImageGame
from coordconv_rl.errors import InputError, unknown
from coordconv_rl.files import is_whole

PRESETS_FOLDER = Path(__file__).with_name("presets")
EXPERIMENTS_FOLDER = Path(__file__).with_name("experiments")
DEFAULT_RUN: Mapping[str, Any] = {
    "algo": "ppo",
    "game": "Breakout",
    "arm": "coordconv",
    "seed": 0,
    "steps": 10_000_000,  # environment steps of RL Zoo's benchmark
}
_UNKNOWN_KEY = {"extra_forbidden", "unexpected_keyword_argument"}
Config = TypeVar("Config", RunConfig, ExperimentConfig, Hyperparameters)


class _UniqueKeys(yaml.SafeLoader):
    """The safe loader, but an alias is an error, and so is a key twice in one mapping.

    A few lines of aliases to aliases say more values than any memory holds.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, f"the alias *{event.anchor}: write its value out", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                text = f"key {key!r} stands twice in the mapping at line {node.start_mark.line + 1}"
                raise yaml.constructor.ConstructorError(None, None, text)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping without running any of its tags.

    Raises:
        InputError: The file is missing, unreadable, no YAML, or no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if not is_whole(text):
            raise InputError(
                f"{path} is cut or was changed (its last line does not fit): restore it, or, if "
                "you meant to change it, delete its first and its last line"
            )
        value = yaml.load(text, _UniqueKeys)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InputError(f"cannot read {path}: {reason}") from error
    except (yaml.YAMLError, ValueError, TypeError) as error:  # a number too long, a date in no year
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not valid YAML: {reason}") from error
    except RecursionError as error:
        raise InputError(f"{path} is nested too deeply: write plain names and values") from error
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InputError(f"{path} must hold a mapping from names to values")
    return value


def parse(kind: type[Config], values: Mapping[str, Any], source: str) -> Config:
    """Turn plain values into a configuration, strictly.

    Args:
        kind: The dataclass to make.
        values: As read from YAML.
        source: What the values came from, for the error's text.

    Raises:
        InputError: A key is unknown or missing, or a value has the wrong type.
    """
    try:
        text = json.dumps(values, allow_nan=False, default=plain_number)
        return _with_arms(from_json(kind, text))
    except ValidationError as error:
        raise InputError(f"{source}: {_describe(kind, error)}") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{source}: {error}") from error


def _with_arms(config: Config) -> Config:
    """Return the configuration with each arm in its one spelling: a name wherever it has one."""
    changes: dict[str, Any] = {}
    if isinstance(config, RunConfig):
        changes["arm"] = arm_value(parse_arm(config.arm))
    elif isinstance(config, ExperimentConfig):
        changes["arms"] = tuple(arm_value(parse_arm(arm)) for arm in config.arms)
    return dataclasses.replace(config, **changes)


def _describe(kind: type[Any], error: ValidationError) -> str:
    """Return the first complaint in our words: unknown keys before all others."""
    unknown_first = sorted(error.errors(), key=lambda item: item["type"] not in _UNKNOWN_KEY)
    first = unknown_first[0]
    path = [str(part) for part in first["loc"]]
    name = ".".join(path)
    if first["type"] in _UNKNOWN_KEY:
        return str(unknown("key", name, _field_names(kind, path[:-1])))
    if path[-1] == "str" and path[0] in {"arm", "arms"}:  # neither a name nor a mapping
        return f"{'.'.join(path[:-1])} is {first['input']!r}: write an arm's name, or a mapping"
    if first["type"] == "literal_error":
        choices = re.findall(r"'([^']*)'", first["ctx"]["expected"])
        what = path[-1] if len(path) < 2 or not path[-1].isdigit() else path[-2].removesuffix("s")
        return str(unknown(what, first["input"], choices))
    if first["type"] in {"missing", "missing_argument"}:
        return f"key {name!r} is missing"
    is_exponent = first["type"] == "float_type" and re.fullmatch(r"\d+e-?\d+", str(first["input"]))
    hint = " (YAML reads 1e-4 as text: write 1.0e-4)" if is_exponent else ""
    return f"{name} is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}{hint}"


def _field_names(kind: type[Any], path: list[str]) -> list[str]:
    nested = {
        "hyperparameters": Hyperparameters,
        "environment": ImageGame,
        "environments": ImageGame,  # by the games' names
    }
    for part in path:
        if part in nested:
            kind = nested[part]
        elif kind is not ImageGame:
            kind = type(_default(kind, part))
    return [field.name for field in dataclasses.fields(kind)]


def _default(kind: type[Any], name: str) -> Any:
    field = next(field for field in dataclasses.fields(kind) if field.name == name)
    factory: Callable[[], Any] | Any = field.default_factory
    return factory() if callable(factory) else field.default


def preset(
    algo: str, overrides: Mapping[str, Any] | None = None, family: str = "atari"
) -> Hyperparameters:
    """Return an algorithm's preset, with some values replaced.

    Args:
        algo: The algorithm.
        overrides: What replaces the preset's values.
        family: The family of games; one without presets of its own has Atari's.

    Raises:
        InputError: The algorithm or a key is unknown, or a value has the wrong type.
    """
    presets = {path.stem: path for path in PRESETS_FOLDER.glob("*.yaml")}
    if algo not in presets:
        raise unknown("algorithm", algo, presets)
    own = PRESETS_FOLDER / family / f"{algo}.yaml"
    values = read_yaml(own if own.is_file() else presets[algo]) | dict(overrides or {})
    return parse(Hyperparameters, values, f"{algo} hyperparameters")


def new_run(values: Mapping[str, Any], source: str) -> RunConfig:
    """Make a run of what is said of it; the rest is `DEFAULT_RUN`'s and its algorithm's preset's.

    Args:
        values: As read from YAML.
        source: What the values came from, for the error's text.

    Raises:
        InputError: A key is unknown, or a value has the wrong type or makes no sense.
    """
    found = {**DEFAULT_RUN, **values}
    settings = found.get("hyperparameters", {})
    if not isinstance(settings, dict):
        raise InputError(f"{source}: hyperparameters must be a mapping from names to values")
    found["hyperparameters"] = dataclasses.asdict(preset(found["algo"], settings))
    config = parse(RunConfig, found, source)
    own = preset(config.algo, settings, config.family.name)
    config = dataclasses.replace(config, hyperparameters=own)
    check_run(config)
    check_new_run(config)
    return config


def experiment_names() -> tuple[str, ...]:
    """Return the names of the experiments that come with the package."""
    return tuple(sorted(p.stem for p in EXPERIMENTS_FOLDER.glob("*.yaml")))


def load_experiment(
    name_or_path: str, overrides: Mapping[str, Any] | None = None
) -> ExperimentConfig:
    """Read an experiment by its name in the package, or from a YAML file, and check it.

    Args:
        name_or_path: A name such as "quick", or the path of a YAML file.
        overrides: Values that replace the file's.

    Raises:
        InputError: It does not exist, or says something that makes no sense.
    """
    path = EXPERIMENTS_FOLDER / f"{name_or_path}.yaml"
    if name_or_path not in experiment_names():
        path = Path(name_or_path)
        if path.suffix not in {".yaml", ".yml"} and not path.is_file():
            raise unknown("experiment", name_or_path, experiment_names())
    values = read_yaml(path) | dict(overrides or {})
    experiment = parse(ExperimentConfig, values, str(name_or_path))
    check_experiment(experiment)
    for algo, family in product(experiment.algos, experiment.families):
        preset(algo, experiment.overrides.get(algo), family)
    return experiment


def load_run(path: Path) -> RunConfig:
    """Read one run's resolved `config.yaml` and check it.

    Raises:
        InputError: It cannot be read, or says something that makes no sense.
    """
    config = parse(RunConfig, read_yaml(path), str(path))
    check_run(config)
    return config


def to_yaml(config: RunConfig | ExperimentConfig) -> str:
    """Return the configuration as YAML that `load_run` or `load_experiment` reads back."""
    values = json.loads(json.dumps(dataclasses.asdict(config), default=plain_number))  # no tuples
    seldom = {"environment", "environments", "comparisons", "equivalence"}
    plain = {name: value for name, value in values.items() if value or name not in seldom}
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
