"""A run's agent to a repository of the Hub."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordconv_rl.agents.hub.card import card_text
from coordconv_rl.agents.hub.client import check_repo, hub_api, said_by_the_hub
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.sb3_zip import export_sb3
from coordconv_rl.agents.training import checkpoint_path
from coordconv_rl.agents.watch import Film, watch_games
from coordconv_rl.configs import needs_trust
from coordconv_rl.runs import CHECKPOINTS_FOLDER, CONFIG_FILE, EVALUATION_FILE, read_evaluation

CARD = "README.md"
REPLAY = "replay.mp4"  # the Hub shows a file of that name on the page of an agent


@dataclass(frozen=True)
class Parcel:
    """What is pushed beside configuration, checkpoint, scores and card.

    Attributes:
        video: A video of one game, with sampled actions.
        zip: The agent as SB3's zip too, which holds pickle.
        private: Whether a repository that is made is private.
    """

    video: bool = True
    zip: bool = False
    private: bool = False


def push_agent(
    folder: Path,
    repo: str,
    parcel: Parcel | None = None,
    *,
    trust_code: bool = False,
    endpoint: str | None = None,
) -> str:
    """Push a run's newest checkpoint, which its evaluation is of, with a card.

    What says where and by whom it was trained (`run.json`, the log) stays here.

    Args:
        folder: The run's folder.
        repo: The repository, OWNER/NAME; it is made if there is none.
        parcel: What else is pushed.
        trust_code: See `load_agent`.
        endpoint: See `hub_api`.

    Returns:
        The repository's address.

    Raises:
        InputError: The folder holds no agent, the library is missing, or the Hub refuses.
    """
    check_repo(repo)
    api = hub_api(endpoint)
    with tempfile.TemporaryDirectory() as name:
        bundle = Path(name)
        write_bundle(folder, bundle, repo, parcel or Parcel(), trust_code=trust_code)
        with said_by_the_hub(repo):
            made = api.create_repo(repo, private=(parcel or Parcel()).private, exist_ok=True)
            api.upload_folder(
                repo_id=repo, folder_path=bundle, commit_message="Push an agent with coordconv_rl"
            )
    return str(made)


def write_bundle(
    folder: Path, bundle: Path, repo: str, parcel: Parcel, *, trust_code: bool = False
) -> None:
    """Write all that a repository is to hold into an empty folder; see `push_agent`."""
    model, config, step = load_agent(folder, trust_code=trust_code)
    shutil.copyfile(folder / CONFIG_FILE, bundle / CONFIG_FILE)
    (bundle / CHECKPOINTS_FOLDER).mkdir()
    shutil.copyfile(checkpoint_path(folder, step), checkpoint_path(bundle, step))
    evaluation = _evaluation(folder, step)
    if evaluation is not None:
        shutil.copyfile(folder / EVALUATION_FILE, bundle / EVALUATION_FILE)
    zip_name = f"{config.algo}-{config.game.replace('/', '-')}.zip" if parcel.zip else None
    if zip_name is not None:
        export_sb3(folder, bundle / zip_name, trust_code=trust_code)
    if parcel.video:
        watch_games(model, config, bundle / REPLAY, Film())
    text = card_text(
        repo, config, step, evaluation, zip_name=zip_name, own_code=needs_trust(config)
    )
    (bundle / CARD).write_text(text, encoding="utf-8")


def _evaluation(folder: Path, step: int) -> dict[str, Any] | None:
    """Return the run's own evaluation, if it is of this checkpoint."""
    found = read_evaluation(folder / EVALUATION_FILE)
    return found if found is not None and found.get("step") == step else None
