"""Commands about the Hugging Face Hub: `push` and `load`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from coordconv_rl.cli.parse import Command
from coordconv_rl.errors import OK

Repo = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="OWNER/NAME")]


@dataclass(frozen=True)
class Push(Command):
    """Push a trained agent to the Hugging Face Hub, with its score and a video.

    Attributes:
        folder: The run's folder.
        repo: The repository; it is made if there is none.
        video: Play a game and push its video, which the agent's page shows.
        zip: Push a zip for SB3's own load too.
        private: Make the repository a private one.
        trust_code: Import the code that the folder names: a game or extractor of somebody's own.
    """

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    repo: Repo
    video: bool = True
    zip: tyro.conf.FlagCreatePairsOff[bool] = False
    private: tyro.conf.FlagCreatePairsOff[bool] = False
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Push it and print where it is."""
        from coordconv_rl.agents.hub import Parcel, push_agent

        parcel = Parcel(video=self.video, zip=self.zip, private=self.private)
        print(push_agent(self.folder, self.repo, parcel, trust_code=self.trust_code))
        return OK


@dataclass(frozen=True)
class Load(Command):
    """Load an agent from the Hugging Face Hub into a folder; nothing in it is run.

    Attributes:
        repo: The repository.
        folder: Where to: a new folder, for evaluate, watch, inspect and export-sb3.
        revision: A branch, tag or commit of the repository.
    """

    repo: Repo
    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    revision: Annotated[str | None, tyro.conf.arg(help_behavior_hint="(default: the newest)")] = (
        None
    )

    def run(self) -> int:
        """Load it and print what can be done with it."""
        from coordconv_rl.agents.hub import fetch_agent

        folder = fetch_agent(self.repo, self.folder, revision=self.revision)
        print(f"{folder} holds the agent; as in: coordconv-rl evaluate {folder}")
        return OK
