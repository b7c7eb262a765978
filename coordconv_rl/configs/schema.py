"""What a run and an experiment are: frozen dataclasses, validated strictly, values only in YAML.

Steps are environment (agent) steps everywhere: of four emulator frames on Atari, of one frame on
MinAtar, of `skip` frames elsewhere. The command line's options are these fields, and the texts
below are its help.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import tyro

from coordconv_rl.arms import Arm, Backbone, Head, parse_arm
from coordconv_rl.configs.hyperparameters import Hyperparameters
from coordconv_rl.configs.types import (
    OPTIONAL,
    Algo,
    ArmValue,
    ComputePath,
    Precision,
    Protocol,
    SuiteName,
    make_run_id,
    take_plain_numbers,
)
from coordconv_rl.envs import SCREEN_SIZE, SUITES, Family, ImageGame, family_of


@dataclass(frozen=True)
class Evaluation:
    """How a trained agent is judged.

    Attributes:
        episodes: Whole games for each of the two ways to act; 0 for no evaluation.
        greedy: Whether to play the most likely actions too, beside sampled ones.
    """

    episodes: int = 30
    greedy: bool = True

    def __post_init__(self) -> None:
        take_plain_numbers(self)


@dataclass(frozen=True, kw_only=True)
class SharedSettings:
    """What a run and all runs of an experiment say alike.

    Attributes:
        backbone: The convolutional network; by default the one that the game's images are made
            for: minatar for MinAtar, else nature. An arm may have its own.
        head: What becomes of the last feature maps; an arm may have its own.
        plain: Whether to train by SB3's own policy, algorithm and buffer, in float32, instead of
            the fast path. An arm with an extractor of one's own always is, and so are all arms
            that it is compared with.
        protocol: The protocol of Atari games: v4 has no sticky actions, and a lost life ends an
            episode of the learner; v5 has sticky actions, and none does.
        full_action_space: Whether all 18 actions are offered (protocol v5 only).
        screen_size: Side of Atari's images in pixels; 84 is what everybody uses.
        precision: Arithmetic of the network: float32, bfloat16, or auto: bfloat16 where the
            processor or GPU multiplies it in hardware, and float32 elsewhere.
        device: Where the network lives: cpu, cuda or cuda:N.
        threads: Threads of torch and OpenCV.
        workers: Processes that play, the training one among them; with 0 or 1 it plays alone. More
            are for Atari; a Gymnasium game then has a process for each of its environments.
        checkpoint_minutes: Minutes between checkpoints.
        evaluation: How the trained agent is judged.
    """

    backbone: Annotated[Backbone | None, OPTIONAL] = None
    head: Head = "flatten"
    plain: bool = False
    protocol: Protocol = "v4"
    full_action_space: bool = False
    screen_size: int = SCREEN_SIZE
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
        arm: What the network sees of coordinates (`coordconv-rl arms` says what each is); in a
            YAML file also a mapping, as in {coords: [0, 2], radius: true}.
        seed: Seed of weights, actions, minibatches and environments.
        steps: Environment steps to train for.
        hyperparameters: The algorithm's settings.
    """

    algo: Algo
    game: str
    environment: tyro.conf.Suppress[ImageGame | None] = None
    arm: ArmValue
    seed: int
    steps: int
    hyperparameters: tyro.conf.OmitArgPrefixes[Hyperparameters]

    @property
    def run_id(self) -> str:
        """The run's id and its folder below the experiment: algo/game/arm/seed-n."""
        return make_run_id(self.algo, self.game, self.arm_label, self.seed)

    @property
    def arm_label(self) -> str:
        """What tables and folders call its arm."""
        return parse_arm(self.arm).label


@dataclass(frozen=True, kw_only=True)
class RunConfig(SharedSettings, RunTask):
    """One training run, fully resolved: what its `config.yaml` holds, in that order."""

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        if self.backbone is None:
            object.__setattr__(self, "backbone", self.family.backbone)

    @property
    def step_frames(self) -> int:
        """Frames of the game in one environment step; a Gymnasium game may skip some."""
        return self.environment.skip if self.environment else self.family.frames

    @property
    def family(self) -> Family:
        """The family of its game."""
        return family_of(self.game, self.environment)

    @property
    def resolved_arm(self) -> Arm:
        """Its arm, with the run's backbone and head where the arm has none of its own.

        Raises:
            InputError: There is no such arm, or not with this backbone.
        """
        return parse_arm(self.arm).resolved(self.backbone or self.family.backbone, self.head)

    @property
    def path(self) -> ComputePath:
        """Who computes: our fast path, or SB3's own classes."""
        own = parse_arm(self.arm).extractor is not None
        return "plain" if self.plain or own else "fast"

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
        arms: The arms: names (`coordconv-rl arms`), or, in a YAML file, mappings too.
        seeds: The seeds; each trains one agent for each algorithm, game and arm. On the command
            line one number is how many, from 0.
        steps: Environment steps of each run.
        overrides: Hyperparameters that differ from the presets, by algorithm.
        comparisons: Which arms are compared: pairs of their names, the baseline second; by default
            each arm with coordinates against the arms without and with shuffled ones that have its
            backbone and head, and any other arm against the first.
        equivalence: By how little two arms' mean scores must differ, on the scale of the report's
            aggregates, to be called equal: 0.05 is a twentieth of that scale.
    """

    name: str
    description: str
    algos: tuple[Algo, ...]
    arms: tuple[ArmValue, ...]
    seeds: tuple[int, ...]
    steps: int
    games: tuple[str, ...] = ()
    environments: tyro.conf.Suppress[dict[str, ImageGame]] = field(default_factory=dict)
    suite: Annotated[SuiteName | None, OPTIONAL] = None
    overrides: tyro.conf.Fixed[tyro.conf.Suppress[dict[str, dict[str, float | int | str]]]] = field(
        default_factory=dict
    )
    comparisons: tyro.conf.Fixed[tyro.conf.Suppress[tuple[tuple[str, str], ...]]] = ()
    equivalence: Annotated[float | None, OPTIONAL] = None


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig(SharedSettings, ExperimentPlan):
    """A comparison: what `experiment.yaml` holds, in that order."""

    def __post_init__(self) -> None:
        take_plain_numbers(self)

    @property
    def common_backbone(self) -> Backbone | None:
        """The backbone of all runs, where it is the same; by default each has its game's.

        It is no part of the file: other games that are asked for later would get it, too.
        """
        backbones = {family.backbone for family in self.families.values()}
        return self.backbone or (backbones.pop() if len(backbones) == 1 else None)

    @property
    def arms_by_label(self) -> dict[str, Arm]:
        """The arms, by what tables and folders call them, in the experiment's order."""
        return {arm.label: arm for arm in map(parse_arm, self.arms)}

    @property
    def arm_labels(self) -> tuple[str, ...]:
        """What tables and folders call the arms."""
        return tuple(self.arms_by_label)

    @property
    def path(self) -> ComputePath:
        """Who computes, for all arms alike: see `SharedSettings.plain`."""
        own = any(arm.extractor for arm in self.arms_by_label.values())
        return "plain" if self.plain or own else "fast"

    @property
    def families(self) -> dict[str, Family]:
        """The families of its games, by name."""
        games = SUITES.get(self.suite or "", self.games)
        found = [family_of(game, self.environments.get(game)) for game in games]
        return {family.name: family for family in found}
