"""A process that owns some environments: it obeys its parent and leaves when the parent is gone.

It is started as a plain command and not by `multiprocessing`, so that a script needs no
`if __name__ == "__main__"`, and it imports neither torch nor SB3, so that it starts fast.
"""

from __future__ import annotations

import mmap
import os
import pickle
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

import cv2

from coordconv_rl.envs.settings import GameSettings
from coordconv_rl.envs.workers.group import Group
from coordconv_rl.envs.workers.shared_arrays import SharedArrays
from coordconv_rl.processes import has_parent

STEP = b""
"""The one frequent message; its answer is `NO_ENDS`, or the ends of episodes, pickled."""

NO_ENDS = b""

MARK = b"\0"
"""First byte of a message that comes back as it is; a pickle begins with another."""

Request = tuple[str, tuple[Any, ...]] | None
"""A method of `Group` with its arguments; None is the step."""

Answer = tuple[bool, Any]
"""True and the result, or False and the error with its traceback."""

BOOT = (  # Signals that stop are the parent's to handle, while this process still imports, too.
    "import signal; [signal.signal(getattr(signal, name), signal.SIG_IGN) "
    "for name in ('SIGINT', 'SIGTERM', 'SIGHUP') if hasattr(signal, name)]; "
    "from coordconv_rl.envs.workers.worker import main; main()"
)


def main() -> None:
    """Run a worker: `argv` is the pipe's descriptor and the memory's."""
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    cv2.setNumThreads(1)
    connection, memory = Connection(int(sys.argv[1])), mmap.mmap(int(sys.argv[2]), 0)
    try:
        settings, n_envs, start, stop = connection.recv()
        game = GameSettings(**settings)
        arrays = SharedArrays.over(memory, n_envs, game.screen_size)
        group = Group(game, arrays.part(start, stop))
        connection.send((True, None))
        _serve(group, connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # The parent closed the pipe: there is nobody left to tell.


def _leave_with(parent: int) -> None:
    """End this process when its parent is gone, even if a copy of the pipe lives on elsewhere."""
    while has_parent(parent):
        time.sleep(1.0)
    os._exit(1)


def _serve(group: Group, connection: Connection) -> None:
    while True:
        message = connection.recv_bytes()
        if message.startswith(MARK):
            connection.send_bytes(message)
            continue
        answer = obey(group, None if message == STEP else pickle.loads(message))
        connection.send_bytes(NO_ENDS if answer == (True, {}) else _pickled(answer))


def obey(group: Group, request: Request) -> Answer:
    """Do what is asked, and catch what goes wrong."""
    try:
        if request is None:
            return True, group.finish()
        name, args = request
        return True, getattr(group, name)(*args)
    except Exception as error:
        return _failure(error)


def _pickled(answer: Answer) -> bytes:
    """Pickle an answer; where that fails, the failure is the answer."""
    try:
        return pickle.dumps(answer)
    except Exception as error:
        return pickle.dumps(_failure(error))


def _failure(error: Exception) -> Answer:
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(str(error))
    return False, (error, text)
