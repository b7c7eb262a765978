"""The page of an agent on the Hub: metadata as SB3's own agents have it, and what a reader asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coordconv_rl.configs import RunConfig
from coordconv_rl.envs import SCREEN_SIZE

if TYPE_CHECKING:
    from huggingface_hub import ModelCardData

TEXT = """# {title}

{algo} of [Stable-Baselines3](https://github.com/DLR-RM/stable-baselines3) on {game}, trained for
{steps:,} environment steps with coordconv_rl (seed {seed}, protocol {protocol}). Its network:
{arm}: {summary}.

{scores}

## Use
```
pip install 'coordconv_rl[hub]'
coordconv-rl load {repo} agent
coordconv-rl evaluate agent --episodes 10
coordconv-rl watch agent --video agent.mp4
```
The checkpoint is safetensors and JSON: opening it runs no code of its author.{more}

## Training
`config.yaml` holds every setting: `coordconv-rl train --config config.yaml --folder mine` trains
such an agent anew.
"""
OWN_CODE = """ It plays or sees by
code that is not part of this package, which you need, with `--trust-code`."""
WITH_ZIP = """
`{file}` is the same agent for SB3's own `load`, which unpickles."""


def card_text(
    repo: str,
    config: RunConfig,
    step: int,
    evaluation: Mapping[str, Any] | None,
    *,
    zip_name: str | None = None,
    own_code: bool = False,
) -> str:
    """Return the page of a repository, with its metadata.

    Args:
        repo: OWNER/NAME.
        config: The run.
        step: Environment step of the checkpoint.
        evaluation: What `evaluation.json` holds of that checkpoint, or None.
        zip_name: The name of SB3's zip, if the repository has one.
        own_code: Whether the agent needs code of somebody's own.
    """
    arm = config.resolved_arm
    more = OWN_CODE if own_code else ""
    if zip_name is not None:
        more += WITH_ZIP.format(file=zip_name)
    text = TEXT.format(
        title=f"{config.algo.upper()} {config.arm_label} agent playing {config.game}",
        algo=config.algo.upper(),
        game=config.game,
        steps=step,
        seed=config.seed,
        protocol=config.played + _size(config),
        arm=config.arm_label,
        summary=arm.summary,
        scores=_scores(evaluation),
        repo=repo,
        more=more,
    )
    return f"---\n{_metadata(config, evaluation, zip_name).to_yaml()}\n---\n\n{text}"


def _size(config: RunConfig) -> str:
    """Say the size of images that are none of the usual one: SB3's own stack draws others."""
    side = config.screen_size
    return "" if side == SCREEN_SIZE else f", images of {side}x{side} pixels"


def game_name(config: RunConfig) -> str:
    """Return what others call the game: SB3's agents name Atari's by Gymnasium's id."""
    return f"{config.game}NoFrameskip-v4" if config.family.name == "atari" else config.game


def _metadata(
    config: RunConfig, evaluation: Mapping[str, Any] | None, zip_name: str | None
) -> ModelCardData:
    """Return the metadata; the library writes `model-index` from the result."""
    from huggingface_hub import EvalResult, ModelCardData

    game, results = game_name(config), None
    if evaluation is not None:
        found = evaluation["stochastic"]
        score = f"{found['mean']:.2f} +/- {found['std']:.2f}"
        results = [
            EvalResult(
                task_type="reinforcement-learning",
                task_name="reinforcement-learning",
                dataset_type=game,
                dataset_name=game,
                metric_type="mean_reward",
                metric_name="mean_reward",
                metric_value=score,
            )
        ]
    return ModelCardData(
        library_name="coordconv_rl" if zip_name is None else "stable-baselines3",
        license=None,
        model_name=config.algo.upper(),
        tags=[game, "deep-reinforcement-learning", "reinforcement-learning",
              "stable-baselines3", "coordconv"],
        eval_results=results,
    )  # fmt: skip


def _scores(evaluation: Mapping[str, Any] | None) -> str:
    """Return the score table."""
    if evaluation is None:
        return "This checkpoint was not evaluated."
    others = evaluation.get("evaluation_kwargs")
    lines = ["| actions | games | mean score | standard deviation |", "|---|---|---|---|"]
    for way, found in ((way, evaluation.get(way)) for way in ("stochastic", "greedy")):
        if found is not None:
            count = len(found["scores"])
            lines.append(f"| {way} | {count} | {found['mean']:.2f} | {found['std']:.2f} |")
    text = "Raw scores of whole games from seeds that training never used"
    if others:
        said = ", ".join(f"{name} {value}" for name, value in others.items())
        text += f", with {said}, which training did not have"
    return f"{text}:\n\n" + "\n".join(lines)
