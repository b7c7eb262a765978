"""What a run and an experiment are: frozen dataclasses, validated strictly, values only in YAML.

Steps are environment (agent) steps everywhere: of four emulator frames on Atari, of one frame
elsewhere. The command line's options are these fields, and the texts below are its help.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from coordconv_rl.arms import ARMS, Backbone
from coordconv_rl.envs import SUITES, Family, ImageGame, family_of


def _hint(default: str) -> str:
    """Say a default in the help as people type it."""
    plain = default.strip("[]").replace("'", "")
    return "(optional)" if plain == "None" else f"(default: {plain})"


OPTIONAL = tyro.conf.arg(help_behavior_hint=_hint)
# The built-in arms; `check` takes those with a backbone or head behind them too.
ArmName = Annotated[str, tyro.conf.arg(metavar=f"{{{','.join(ARMS)}}}")]
SuiteName = Annotated[
    str, tyro.conf.arg(constructor=Literal[tuple(SUITES)], help_behavior_hint=_hint)
]
Algo = Literal["a2c", "ppo"]
Protocol = Literal["v4", "v5"]
Precision = Literal["auto", "float32", "bfloat16"]


def game_folder(game: str) -> str:
    """Return what files and folders call a game: "minatar-breakout" for "minatar/breakout"."""
    return game.replace("/", "-").replace(":", "-")


def make_run_id(algo: str, game: str, arm: str, seed: int) -> str:
    """Return a run's id, which is its folder below the experiment's."""
    return f"{algo}/{game_folder(game)}/{arm}/seed-{seed}"


@dataclass(frozen=True)
class Hyperparameters:
    """An algorithm's settings; `presets/a2c.yaml` and `presets/ppo.yaml` hold RL Zoo's.

    Attributes:
        n_envs: Environments stepped together.
        n_steps: Environment steps of each environment in one rollout.
        learning_rate: Step size at the start of training.
        schedule: How the learning rate (and PPO's clip range) goes: constant, or linear to zero.
        gamma: Discount factor of the return.
        gae_lambda: Lambda of generalised advantage estimation.
        ent_coef: Weight of the entropy bonus.
        vf_coef: Weight of the value loss.
        max_grad_norm: Bound on the gradient's norm.
        n_epochs: Passes over one rollout (PPO; A2C makes one).
        batch_size: Observations in one minibatch (PPO; A2C takes the whole rollout).
        clip_range: PPO's clip range at the start of training.
    """

    n_envs: int
    n_steps: int
    learning_rate: float
    schedule: Literal["constant", "linear"]
    gamma: float
    gae_lambda: float
    ent_coef: float
    vf_coef: float
    max_grad_norm: float
    n_epochs: int = 1
    batch_size: Annotated[int | None, OPTIONAL] = None
    clip_range: Annotated[float | None, OPTIONAL] = None


@dataclass(frozen=True)
class Evaluation:
    """How a trained agent is judged.

    Attributes:
        episodes: Whole games for each of the two ways to act; 0 for no evaluation.
        greedy: Whether to play the most likely actions too, beside sampled ones.
    """

    episodes: int = 30
    greedy: bool = True


@dataclass(frozen=True, kw_only=True)
class SharedSettings:
    """What a run and all runs of an experiment say alike.

    Attributes:
        backbone: The convolutional network; by default the one that the game's images are made
            for: minatar for MinAtar, else nature.
        protocol: The Atari protocol: v4 has no sticky actions, and a lost life ends an episode of
            the learner; v5 has sticky actions, and none does.
        full_action_space: Whether all 18 actions are offered (protocol v5 only).
        precision: Arithmetic of the network's training pass.
        device: Where the network lives: cpu, cuda or cuda:N.
        threads: Threads of torch and OpenCV.
        workers: Processes that play, the training one among them; with 0 or 1 it plays alone.
        checkpoint_minutes: Minutes between checkpoints.
        evaluation: How the trained agent is judged.
    """

    backbone: Annotated[Backbone | None, OPTIONAL] = None
    protocol: Protocol = "v4"
    full_action_space: bool = False
    precision: Precision = "auto"
    device: str = "cpu"
    threads: int = 1
    workers: int = 0
    checkpoint_minutes: float = 5.0
    evaluation: tyro.conf.OmitArgPrefixes[Evaluation] = field(default_factory=Evaluation)

    @property
    def cores(self) -> int:
        """Cores that a run keeps busy: other processes play while torch's threads rest."""
        return max(self.threads, self.workers)


@dataclass(frozen=True, kw_only=True)
class RunTask:
    """What one run trains: an algorithm and an arm on a game, from a seed.

    Attributes:
        algo: The algorithm.
        game: The game: an Atari game as in Breakout or a MinAtar one as in minatar/breakout
            (`coordconv-rl games` lists both), or a Gymnasium id as in CarRacing-v3.
        environment: How the game is made, where its name does not say it (see `ImageGame`).
        arm: What the network sees of coordinates (`coordconv-rl arms` says what each is).
        seed: Seed of weights, actions, minibatches and environments.
        steps: Environment steps to train for.
        hyperparameters: The algorithm's settings.
    """

    algo: Algo
    game: str
    environment: tyro.conf.Suppress[ImageGame | None] = None
    arm: ArmName
    seed: int
    steps: int
    hyperparameters: tyro.conf.OmitArgPrefixes[Hyperparameters]

    @property
    def run_id(self) -> str:
        """The run's id and its folder below the experiment: algo/game/arm/seed-n."""
        return make_run_id(self.algo, self.game, self.arm, self.seed)


@dataclass(frozen=True, kw_only=True)
class RunConfig(SharedSettings, RunTask):
    """One training run, fully resolved: what its `config.yaml` holds, in that order."""

    def __post_init__(self) -> None:
        if self.backbone is None:
            object.__setattr__(self, "backbone", self.family.backbone)

    @property
    def family(self) -> Family:
        """The family of its game."""
        return family_of(self.game, self.environment)

    @property
    def played(self) -> str:
        """How its games are played: the Atari protocol, or the family where it has no choice."""
        return self.family.protocol(self.protocol)

    @property
    def ends_with_life(self) -> bool:
        """Whether a lost life ends an episode of the learner."""
        return self.played == "v4"


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """Arms x algorithms x games x seeds, compared with everything else equal.

    Attributes:
        name: The experiment's name; its default folder is runs/NAME.
        description: A sentence on what the experiment is for.
        algos: The algorithms.
        games: The games, as in Breakout, minatar/breakout or CarRacing-v3.
        environments: How games of other names are made, by name (see `ImageGame`).
        suite: A suite of games, instead of naming them.
        arms: The arms.
        seeds: The seeds; each trains one agent for each algorithm, game and arm. On the command
            line one number is how many, from 0.
        steps: Environment steps of each run.
        overrides: Hyperparameters that differ from the presets, by algorithm.
    """

    name: str
    description: str
    algos: tuple[Algo, ...]
    arms: tuple[ArmName, ...]
    seeds: tuple[int, ...]
    steps: int
    games: tuple[str, ...] = ()
    environments: tyro.conf.Suppress[dict[str, ImageGame]] = field(default_factory=dict)
    suite: Annotated[SuiteName | None, OPTIONAL] = None
    overrides: tyro.conf.Fixed[tyro.conf.Suppress[dict[str, dict[str, float | int | str]]]] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig(SharedSettings, ExperimentPlan):
    """A comparison: what `experiment.yaml` holds, in that order."""

    def __post_init__(self) -> None:
        backbones = {family.backbone for family in self.families.values()}
        if self.backbone is None and len(backbones) == 1:  # else each game's runs have its own
            object.__setattr__(self, "backbone", backbones.pop())

    @property
    def families(self) -> dict[str, Family]:
        """The families of its games, by name."""
        games = SUITES.get(self.suite or "", self.games)
        found = [family_of(game, self.environments.get(game)) for game in games]
        return {family.name: family for family in found}
