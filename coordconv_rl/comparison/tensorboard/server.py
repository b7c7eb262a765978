"""TensorBoard itself, on a comparison's or a run's folder."""

from __future__ import annotations

import contextlib
import io
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from coordconv_rl.comparison.tensorboard.writer import Aggregates
from coordconv_rl.errors import OK, InputError
from coordconv_rl.runs import EPISODES_FILE, EXPERIMENT_FILE
from coordconv_rl.signals import stop_signals

_LOOK_SECONDS = 0.2  # between two looks whether a signal asks to stop


def serve(folder: Path | str, port: int = 6006) -> int:
    """Serve TensorBoard for an experiment or a run on this machine's loopback address.

    Prints the address, and ends with Ctrl-C or SIGTERM. An export has none of TensorBoard's files:
    its lines are drawn from the runs' own files, and nothing is written to it.

    Returns:
        The exit code.

    Raises:
        InputError: There is no such folder, the port is taken, or the export is damaged.
    """
    if not Path(folder).is_dir():
        raise InputError(f"there is no folder {folder}: give that of an experiment or a run")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise InputError(f"port {port} cannot be used ({error}): choose --port") from error
    with stop_signals() as signals, _event_files(Path(folder)) as shown:
        url = _launch(shown, port)
        print(f"TensorBoard shows {folder} at {url} (Ctrl-C ends it)", flush=True)
        while not signals:
            time.sleep(_LOOK_SECONDS)
    return OK


@contextlib.contextmanager
def _event_files(folder: Path) -> Iterator[Path]:
    """Yield the folder of TensorBoard's files: the given one, for an export one that is made."""
    is_export = (
        (folder / EXPERIMENT_FILE).is_file()
        and any(folder.rglob(f"{EPISODES_FILE}*"))
        and not any(folder.rglob("*.tfevents.*"))
    )
    if not is_export:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="coordconv-rl-tensorboard-") as made:
        with Aggregates(folder, into=Path(made)) as lines:
            try:
                lines.update((), now=True)
            except InputError as error:
                print(f"warning: {error}; the other runs are shown", file=sys.stderr)
        yield Path(made)


def _launch(folder: Path, port: int) -> str:
    """Start the server in a thread of its own and return its address; it prints nothing."""
    from tensorboard import default, program

    board = program.TensorBoard(plugins=default.get_plugins())
    flags = ["--logdir", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    board.configure(argv=["tensorboard", *flags, "--reload_interval", "5"])
    notes = io.StringIO()  # that its reader is the fast one
    try:
        with contextlib.redirect_stderr(notes):
            return str(board.launch())
    except program.TensorBoardServerException as error:
        raise InputError(f"TensorBoard does not start: {' '.join(error.msg.split())}") from error
