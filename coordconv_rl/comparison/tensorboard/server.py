"""TensorBoard itself, on a comparison's or a run's folder."""

from __future__ import annotations

import contextlib
import io
import socket
import time
from pathlib import Path

from coordconv_rl.errors import OK, InputError
from coordconv_rl.signals import stop_signals

_LOOK_SECONDS = 0.2  # between two looks whether a signal asks to stop


def serve(folder: Path | str, port: int = 6006) -> int:
    """Serve TensorBoard for an experiment or a run on this machine's loopback address.

    Prints the address, and ends with Ctrl-C or SIGTERM.

    Returns:
        The exit code.

    Raises:
        InputError: There is no such folder, or the port is taken.
    """
    if not Path(folder).is_dir():
        raise InputError(f"there is no folder {folder}: give that of an experiment or a run")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise InputError(f"port {port} cannot be used ({error}): choose --port") from error
    url = _launch(folder, port)
    print(f"TensorBoard shows {folder} at {url} (Ctrl-C ends it)", flush=True)
    with stop_signals() as signals:
        while not signals:
            time.sleep(_LOOK_SECONDS)
    return OK


def _launch(folder: Path | str, port: int) -> str:
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
