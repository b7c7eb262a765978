"""SB3's own zip files: written for anybody, read only on trust, since they hold pickle."""

from __future__ import annotations

import zipfile
from pathlib import Path

from stable_baselines3 import A2C, PPO

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import load_agent
from coordconv_rl.errors import InputError


def export_sb3(folder: Path, file: Path) -> Path:
    """Write the newest agent of a run folder as a zip that stock `PPO.load` or `A2C.load` opens.

    Args:
        folder: The run's folder.
        file: The zip to write.

    Raises:
        InputError: The folder holds no agent, or the file cannot be written.
    """
    if file.suffix != ".zip":
        raise InputError(f"{file} must end in .zip, as SB3's files do")
    if not file.parent.is_dir():
        raise InputError(f"cannot write {file}: {file.parent} is no folder")
    model, _, _ = load_agent(folder)
    temporary = file.with_name(f".{file.stem}.partial.zip")
    try:
        model.save(temporary)
        temporary.replace(file)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return file


def import_sb3(file: Path, algo: str, *, trust_pickle: bool) -> Model:
    """Open an agent from SB3's zip.

    Args:
        file: The zip.
        algo: "a2c" or "ppo".
        trust_pickle: Must be True: opening the file can run code that its author put there.

    Raises:
        InputError: No trust was given, or the file is no SB3 zip of that algorithm.
    """
    if not trust_pickle:
        raise InputError(
            f"{file} may hold pickle, which can run code: "
            "add --trust-pickle if you trust its author"
        )
    if not zipfile.is_zipfile(file):
        raise InputError(f"{file} is no zip that SB3 saved")
    try:
        if algo == "a2c":
            return A2C.load(file, device="cpu")
        return PPO.load(file, device="cpu")
    except (KeyError, ValueError, RuntimeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file} is no {algo} agent that SB3 saved: {reason}") from error
