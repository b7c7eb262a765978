"""TensorBoard itself, on a comparison's or a run's folder."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from coordconv_rl.errors import InputError


def serve(folder: Path | str, port: int = 6006) -> int:
    """Serve TensorBoard for an experiment or a run on this machine's loopback address.

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
    from tensorboard import default, program

    board = program.TensorBoard(plugins=default.get_plugins())
    flags = ["--logdir", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    board.configure(argv=["tensorboard", *flags, "--reload_interval", "5"])
    with contextlib.suppress(KeyboardInterrupt):
        return int(board.main() or 0)
    return 0
