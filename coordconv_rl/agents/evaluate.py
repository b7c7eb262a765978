"""Fresh games of a trained agent: whole games, unclipped scores, seeds that training never used."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gymnasium.spaces import Space
from stable_baselines3.common.utils import check_for_correct_spaces
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.play import STILL_FRAMES, Game, Played, Rules, play_games
from coordconv_rl.agents.training import GamesProgress
from coordconv_rl.configs import RunConfig
from coordconv_rl.envs import EnvSettings, human_normalised
from coordconv_rl.errors import InputError
from coordconv_rl.runs import GameEnd, GameLog, summarise

_SEED_OFFSET = 500_000  # training environments use seed, seed + 1, ..., far below this
_GAMES_A_SEED = 1_000  # so that up to so many games of one run are none of another's


def judging_seed(seed: int) -> int:
    """Return the seed of the first game that judges a run; the next games have the next ones.

    Args:
        seed: The run's seed. The games are others than it was trained on, and than those of runs
            with other seeds, which count as independent.
    """
    return (_SEED_OFFSET + _GAMES_A_SEED * seed) % 2**31


def evaluation_env(config: RunConfig, n_envs: int, *, seed: int | None = None) -> VecEnv:
    """Return fresh environments for judging: whole games, unclipped rewards, other seeds."""
    return config.family.build(
        EnvSettings(
            game=config.game,
            environment=config.environment,
            n_envs=n_envs,
            seed=judging_seed(config.seed) if seed is None else seed,
            training=False,
            protocol=config.protocol,
            full_action_space=config.full_action_space,
            screen_size=config.screen_size,
        )
    )


def judged_spaces(config: RunConfig) -> tuple[Space[Any], Space[Any]] | None:
    """Return images and actions of a game that `evaluation_kwargs` make another; else None.

    It is made and closed here, which should be done before training's own games are made: a
    module may keep for all its games what the last one was made with.
    """
    if config.environment is None or not config.environment.evaluation_kwargs:
        return None
    env = evaluation_env(config, 1)
    env.close()
    return env.observation_space, env.action_space


def check_judged(config: RunConfig, env: VecEnv, judged: tuple[Space[Any], Space[Any]]) -> None:
    """Raise `InputError` if agents of these environments cannot play the games of `judged`."""
    try:
        check_for_correct_spaces(env, *judged)
    except ValueError as error:
        raise InputError(
            f"{config.game}: with evaluation_kwargs it is no game for an agent trained without: "
            f"{error}"
        ) from error


def play(
    model: Model,
    config: RunConfig,
    episodes: int,
    *,
    greedy: bool,
    seed: int,
    on_step: Callable[[], None] | None = None,
) -> list[float]:
    """Play whole games side by side and return their raw scores; see `play_games`.

    Args:
        model: The agent.
        config: Its configuration.
        episodes: Games to play; game i has the seed `seed + i`.
        greedy: Play the most likely action instead of a sampled one.
        seed: Seed of the environments and of the sampled actions.
        on_step: Called after every step; what it raises ends the games.
    """
    games = [Game(model.policy, number, greedy) for number in range(episodes)]
    played = play_games(
        lambda count: evaluation_env(config, count),
        games,
        seed=seed,
        rules=rules_for(config, episodes),
        on_step=lambda frames: on_step() if on_step else None,
    )
    return [one.score for one in played]


def rules_for(config: RunConfig, games: int, *, longest: int | None = None) -> Rules:
    """Return the rules by which a run's agent is judged.

    Args:
        config: The run.
        games: How many are played.
        longest: Frames after which any game is cut.
    """
    count = config.family.side_by_side(games)
    return Rules(step_frames=config.step_frames, side_by_side=count, longest=longest)


def score_table(game: str, scores: Sequence[float]) -> dict[str, Any]:
    """Return scores of a game with their mean, standard deviation and human-normalised mean."""
    return summarise(scores, human_normalised(game, statistics.fmean(scores)))


def describe_evaluation(config: RunConfig, step: int, seed: int | None = None) -> dict[str, Any]:
    """Return what an evaluation is of, as its record says it.

    Args:
        config: The run, with how it is judged.
        step: Environment step of the checkpoint.
        seed: Seed of the games; None takes one that training never used.
    """
    return {
        "format": 1,
        "run": config.run_id,
        "game": config.game,
        "protocol": config.played,
        "step": step,
        "episodes": config.evaluation.episodes,
        "seed": judging_seed(config.seed) if seed is None else seed,
        "still_frames": STILL_FRAMES,
        **said_of_judging(config),
    }


def said_of_judging(config: RunConfig) -> dict[str, Any]:
    """Return what a record of judging says where agents are judged otherwise than trained."""
    others = config.environment.evaluation_kwargs if config.environment else {}
    return {"evaluation_kwargs": dict(others)} if others else {}


def evaluate_model(
    model: Model,
    config: RunConfig,
    *,
    seed: int | None = None,
    on_step: Callable[[], None] = lambda: None,
    progress: Path | None = None,
) -> dict[str, Any]:
    """Judge an agent as its configuration says; nothing but `progress` is written.

    Args:
        model: The agent; `num_timesteps` is its checkpoint's step.
        config: Its configuration.
        seed: Seed of the games; None takes one that training never used.
        on_step: Called after every step; what it raises ends the games.
        progress: Where the games are noted as they end; those that are noted there are not played
            again.

    Returns:
        What `evaluation.json` holds.
    """
    result = describe_evaluation(config, model.num_timesteps, seed)
    ways = ["stochastic"] + ["greedy"] * config.evaluation.greedy
    numbers = range(config.evaluation.episodes)
    with ExitStack() as stack:
        noted = stack.enter_context(GameLog(progress, result)) if progress else None
        ends = {(end.actions, end.game): end for end in (noted.ends if noted else ())}
        left = [(way, number) for way in ways for number in numbers if (way, number) not in ends]
        shown = GamesProgress("evaluation", len(ends) + len(left), already=len(ends))

        def note(place: int, played: Played) -> None:
            still = played.why == "still"
            end = GameEnd(*left[place], played.score, played.frames, still)
            ends[left[place]] = end
            shown.end(played.frames)
            if noted is not None:
                noted.add(end)

        def step(frames: int) -> None:
            on_step()
            shown.step(frames)

        _play_left(model, config, left, seed=result["seed"], on_end=note, on_step=step)
    result["greedy"] = None
    for way in ways:
        own = [ends[way, number] for number in numbers]
        table = score_table(config.game, [end.score for end in own])
        result[way] = table | {"still": sum(end.still for end in own)}
    return result


def _play_left(
    model: Model,
    config: RunConfig,
    left: Sequence[tuple[str, int]],
    *,
    seed: int,
    on_end: Callable[[int, Played], None],
    on_step: Callable[[int], None],
) -> None:
    """Play an evaluation's games that are left: ways to act, and numbers."""
    play_games(
        lambda count: evaluation_env(config, count),
        [Game(model.policy, number, way == "greedy") for way, number in left],
        seed=seed,
        rules=rules_for(config, len(left)),
        on_end=on_end,
        on_step=on_step,
    )
