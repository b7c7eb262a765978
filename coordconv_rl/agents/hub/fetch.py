"""An agent from a repository of the Hub to a run's folder; nothing in it is executed."""

from __future__ import annotations

import shutil
from pathlib import Path

from coordconv_rl.agents.hub.client import check_repo, hub_api, said_by_the_hub
from coordconv_rl.agents.training import list_checkpoints
from coordconv_rl.errors import InputError
from coordconv_rl.runs import CHECKPOINTS_FOLDER, CONFIG_FILE, EVALUATION_FILE

WANTED = (CONFIG_FILE, EVALUATION_FILE, "README.md", f"{CHECKPOINTS_FOLDER}/*.safetensors")
LIBRARYS_OWN = ".cache"  # where the library notes what it has downloaded


def fetch_agent(
    repo: str, folder: Path, *, revision: str | None = None, endpoint: str | None = None
) -> Path:
    """Download an agent that `push_agent` pushed: configuration, checkpoint and scores alone.

    Nothing that could run code is downloaded; where its configuration names code of somebody's own,
    whoever opens it is asked for `trust_code`.

    Args:
        repo: The repository, OWNER/NAME.
        folder: Where to; a folder that does not exist yet, or is empty.
        revision: A branch, tag or commit; None takes the newest.
        endpoint: See `hub_api`.

    Returns:
        The folder, which `load_agent` opens.

    Raises:
        InputError: The folder holds something, the library is missing, the Hub refuses, or the
            repository holds no agent of this package.
    """
    check_repo(repo)
    api = hub_api(endpoint)
    is_new = not folder.exists()
    if not is_new and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} holds something already: name another folder")
    try:
        with said_by_the_hub(repo):
            api.snapshot_download(
                repo, revision=revision, local_dir=folder, allow_patterns=list(WANTED)
            )
        shutil.rmtree(folder / LIBRARYS_OWN, ignore_errors=True)
        if not (folder / CONFIG_FILE).is_file() or not list_checkpoints(folder):
            raise InputError(f"{repo} holds no agent that coordconv_rl pushed: look at its files")
    except InputError:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder
