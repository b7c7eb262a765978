"""Nothing needs one system alone: modules that only POSIX has are imported behind a check."""

from __future__ import annotations

import ast

import pytest
from source import modules

POSIX = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
WINDOWS = {"msvcrt", "winreg", "_winapi"}
ATTRIBUTES = {  # of `os` and `signal`, where a call fails elsewhere
    "fork", "forkpty", "getpgid", "getuid", "killpg", "memfd_create", "mkfifo", "nice",
    "register_at_fork", "sched_getaffinity", "sched_setaffinity", "setpgid", "setsid", "waitid",
    "SIGALRM", "SIGHUP", "SIGKILL", "SIGSTOP", "pthread_sigmask", "setitimer",
}  # fmt: skip


def found(tree, checked=False):
    """Yield what is named outside any `if`, `try` or conditional expression."""
    for node in ast.iter_child_nodes(tree):
        inner = checked or isinstance(node, ast.If | ast.Try | ast.IfExp | ast.BoolOp)
        if not inner and isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        if not inner and isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        if not inner and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        yield from found(node, inner)


SYSTEM = {f"{module}.{name}" for module in ("os", "signal") for name in ATTRIBUTES}


@pytest.mark.parametrize("name", sorted(modules()))
def test_nothing_of_one_system_without_a_check(name):
    wrong = set(found(modules()[name].tree)) & (POSIX | WINDOWS | SYSTEM)
    if name == "processes":  # in `kill_group`, which Windows has left by then
        wrong -= {"os.killpg", "signal.SIGKILL"}
    assert not wrong


def test_the_search_finds_them():
    tree = ast.parse("import fcntl\nif a:\n    import pwd\ndef f():\n    os.fork()\n")
    assert set(found(tree)) & (POSIX | SYSTEM) == {"fcntl", "os.fork"}
