"""What no type can say: names that exist, numbers that make sense. Every error is one line."""

from __future__ import annotations

import math
import re

from coordconv_rl.arms import Arm, arm_value, parse_arm
from coordconv_rl.configs.check_games import check_folders, check_offers, check_own_name
from coordconv_rl.configs.hyperparameters import Hyperparameters
from coordconv_rl.configs.schema import Evaluation, ExperimentConfig, RunConfig
from coordconv_rl.envs import own_code, resolve_games
from coordconv_rl.errors import InputError, unknown

MOST_STEPS = 10**12 - 1  # a checkpoint's name holds twelve digits
MOST_EPISODES = 1_000_000  # of one evaluation: more is a slip
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"  # it names a folder
NAME_WORDS = "use letters, digits, '.', '_' and '-', 64 at most"
MAX_THREADS = 4096
MOST_PIXELS = 1024  # a side of an image; ALE's screens have 250 lines at most
MAX_SEED = 2**31 - 1_000_000  # seeds of environments are seed + index and fit in 32 bits


def _at_least(name: str, value: float, least: float) -> None:
    if not (value >= least and value < math.inf):
        raise InputError(f"{name} is {value}: it must be a finite number of at least {least}")


def _at_most(name: str, value: float, most: float) -> None:
    if value > most:
        raise InputError(f"{name} is {value!s:.40}: it must be at most {most}")


def check_seed(seed: int) -> None:
    """Raise `InputError` unless the seed is usable for torch, NumPy and the emulators."""
    _at_least("seed", seed, 0)
    _at_most("seed", seed, MAX_SEED)


def check_trust(config: RunConfig, trust_code: bool) -> None:
    """Raise `InputError` if the run needs code of somebody's own, and nobody trusts that.

    For configurations that come with a folder: whoever names a file of his own trusts it.
    """
    if trust_code or not needs_trust(config):
        return
    game, extractor = own_code(config.game, config.environment), parse_arm(config.arm).extractor
    what = f"the game {config.game}" if game is not None else f"the arm {config.arm_label}"
    raise InputError(
        f"{what} is made by {game or extractor}, which is code to be imported and run: "
        "add --trust-code if you know where it comes from"
    )


def needs_trust(config: RunConfig) -> bool:
    """Return whether a run imports code of the user's own: its game's, or an extractor."""
    game, extractor = own_code(config.game, config.environment), parse_arm(config.arm).extractor
    return game is not None or extractor is not None


def needs_code(config: ExperimentConfig) -> bool:
    """Return whether an experiment's runs import code of the user's own."""
    games = resolve_games(config.games, config.suite, config.environments)
    makers = [own_code(game, config.environments.get(game)) for game in games]
    return any(makers) or any(arm.extractor for arm in config.arms_by_label.values())


def check_hyperparameters(settings: Hyperparameters, algo: str) -> None:
    """Raise `InputError` if a hyperparameter makes no sense for that algorithm."""
    for name in ("n_envs", "n_steps", "n_epochs"):
        _at_least(name, getattr(settings, name), 1)
    for name in ("learning_rate", "ent_coef", "vf_coef", "max_grad_norm"):
        _at_least(name, getattr(settings, name), 0)
    for name in ("gamma", "gae_lambda"):
        _at_least(name, getattr(settings, name), 0)
        _at_most(name, getattr(settings, name), 1)
    rollout = settings.n_envs * settings.n_steps
    if rollout < 2:
        raise InputError("n_envs * n_steps is 1: one rollout needs at least 2 observations")
    if algo == "a2c":
        if settings.n_epochs != 1 or settings.batch_size or settings.clip_range:
            raise InputError("a2c takes no n_epochs, batch_size or clip_range: use ppo for these")
        return
    if settings.batch_size is None or settings.clip_range is None:
        raise InputError("ppo needs a batch_size and a clip_range")
    _at_least("batch_size", settings.batch_size, 2)
    _at_least("clip_range", settings.clip_range, 1e-9)
    if rollout % settings.batch_size:
        raise InputError(
            f"batch_size is {settings.batch_size}: it must divide n_envs * n_steps = {rollout}, "
            "or the last minibatch is cut short"
        )


def check_run(config: RunConfig) -> None:
    """Raise `InputError` if the run says something that makes no sense."""
    config.family.check(config.game, config.environment)
    _check_path(config.path, config.precision)
    _ = config.resolved_arm
    check_seed(config.seed)
    check_hyperparameters(config.hyperparameters, config.algo)
    _check_shared(config)
    if config.workers > config.hyperparameters.n_envs:
        raise InputError(
            f"workers is {config.workers}, but there are only "
            f"{config.hyperparameters.n_envs} environments: take at most as many"
        )


def _check_path(path: str, precision: str) -> None:
    if path == "plain" and precision == "bfloat16":
        raise InputError(
            "precision is bfloat16, but runs on SB3's plain path (an extractor of one's own, or "
            "plain: true) compute in float32: leave it at auto"
        )


def _check_shared(config: RunConfig | ExperimentConfig) -> None:
    _at_least("steps", config.steps, 1)
    _at_most("steps", config.steps, MOST_STEPS)
    _at_least("threads", config.threads, 1)
    _at_most("threads", config.threads, MAX_THREADS)
    _at_least("workers", config.workers, 0)
    _at_least("screen_size", config.screen_size, 1)
    _at_most("screen_size", config.screen_size, MOST_PIXELS)
    _at_least("checkpoint_minutes", config.checkpoint_minutes, 0)
    _check_evaluation(config.evaluation)
    if not re.fullmatch(r"cpu|cuda(:\d+)?", config.device):
        raise InputError(f"device is {config.device!r}: it must be cpu, cuda or cuda:N")
    if config.full_action_space and config.protocol != "v5":
        raise InputError("full_action_space needs protocol v5: v4 offers the minimal actions only")


def _check_evaluation(evaluation: Evaluation) -> None:
    _at_least("evaluation.episodes", evaluation.episodes, 0)
    _at_most("evaluation.episodes", evaluation.episodes, MOST_EPISODES)


def check_experiment(config: ExperimentConfig) -> None:
    """Raise `InputError` if the experiment says something that makes no sense."""
    if not re.fullmatch(NAME, config.name):
        raise InputError(f"name is {config.name!r}: {NAME_WORDS}")
    for name in ("algos", "seeds"):
        _check_list(name, getattr(config, name))
    _check_arms(config)
    _check_path(config.path, config.precision)
    for seed in config.seeds:
        check_seed(seed)
    games = resolve_games(config.games, config.suite, config.environments)
    _check_list("games", games)
    check_folders(games)
    check_offers(config, config.families.values())
    for name in config.environments:
        check_own_name(name)
        if name not in games:
            raise unknown("name in environments", name, games)
        if not re.fullmatch(NAME, name):
            raise InputError(f"environments name a game {name!r}: {NAME_WORDS}")
    _check_shared(config)
    _check_comparisons(config)
    for algo in config.overrides:
        if algo not in config.algos:
            raise InputError(
                f"overrides name {algo!r}, which is not among the algos {list(config.algos)}"
            )


def _check_comparisons(config: ExperimentConfig) -> None:
    for pair in config.comparisons:
        for arm in pair:
            if arm not in config.arm_labels:
                raise unknown("arm in comparisons", arm, config.arm_labels)
        if pair[0] == pair[1]:
            raise InputError(f"comparisons hold {pair[0]} against itself: name two arms")
    pairs = tuple(" against ".join(sorted(pair)) for pair in config.comparisons)
    if pairs:
        _check_list("comparisons", pairs)
    if config.equivalence is not None and not 0 < config.equivalence < math.inf:
        raise InputError(f"equivalence is {config.equivalence}: it must be a number above 0")


def _spelled(arm: Arm) -> str:
    """Return the arm's name, and what it says where that is not in the name."""
    return arm.label if arm.name is None else f"{arm.label} {arm_value(arm)}"


def _check_arms(config: ExperimentConfig) -> None:
    arms = [parse_arm(value) for value in config.arms]
    _check_list("arms", tuple(map(_spelled, arms)))
    found: dict[str, Arm] = {}  # by folder; some disks take no difference of case
    for arm in arms:
        other = found.setdefault(arm.label.casefold(), arm)
        if other is not arm:
            raise InputError(
                f"two different arms have the name {arm.label}, and would share a folder: give "
                "one of them another name"
            )
        for family in config.families.values():
            arm.resolved(config.backbone or family.backbone, config.head)


def _check_list(name: str, values: tuple[object, ...]) -> None:
    if not values:
        raise InputError(f"{name} is empty: name at least one")
    repeated = sorted({str(value) for value in values if values.count(value) > 1})
    if repeated:
        raise InputError(f"{name} holds {', '.join(repeated)} more than once: name each once")
