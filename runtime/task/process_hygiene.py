"""What a forked process does first, so that it carries nothing over and dies with its parent.

Linux has all of it; where ``prctl`` is missing the calls do nothing, and end-of-file on the
parent's socket remains as the sign that it is gone.
Source: ``spec/reliability.md`` R8; engine findings, section 10.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .protocol import ATTEMPT_VARIABLE

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36

_RESET_SIGNALS = tuple(
    getattr(signal, name)
    for name in (
        "SIGTERM",
        "SIGINT",
        "SIGHUP",
        "SIGQUIT",
        "SIGCHLD",
        "SIGALRM",
        "SIGUSR1",
        "SIGUSR2",
        "SIGWINCH",
    )
    if hasattr(signal, name)
)

#: As ``signal.signal``, without looking for the names of number and handler among Python's
#: enumerations: that is fifty pages, and each forked process would copy them.
set_handler: Callable[[int, Any], Any] = getattr(signal.signal, "__wrapped__", signal.signal)

# Looked up once, before any fork: the child calls it without importing or searching.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent_pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel for a signal when *parent_pid* dies; leave at once if it already has.

    The signal follows the parent's *thread* that forked, so forks are made by main threads only.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent_pid:  # it died between the fork and the call above
        os._exit(1)


#: User code that closes every descriptor it finds starts at the low numbers.
_SAFE_FD = 200


def keep_safe(fd: int) -> int:
    """Move a descriptor out of the way of user code, and return its new number."""
    try:
        kept = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _SAFE_FD)
    except OSError:  # the limit of open files is lower than that
        return fd
    os.close(fd)
    return kept


def become_subreaper() -> None:
    """Adopt orphaned descendants, so that nothing a task left behind escapes its supervisor."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_process_name(name: str) -> None:
    """Show *name* (its first 15 bytes) in process lists; forked children inherit it."""
    if _libc is not None:
        _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def changed_signals() -> tuple[int, ...]:
    """Return the signals that do not have their default action in this process.

    A process that forks often asks once, and spares each child the others.
    """
    return tuple(
        number for number in _RESET_SIGNALS if signal.getsignal(number) is not signal.SIG_DFL
    )


def reset_signals(numbers: Sequence[int] = _RESET_SIGNALS) -> None:
    """Give the default actions back, and detach the wake-up descriptor of the parent's loop."""
    signal.set_wakeup_fd(-1)
    for number in numbers:
        if number != signal.SIGINT:
            set_handler(number, signal.SIG_DFL)
    set_handler(signal.SIGINT, signal.default_int_handler)


def reseed_random() -> None:
    """Draw new seeds: siblings forked from one process must not share a random sequence.

    Python's own module does so itself after each fork; numpy's global generator does not.
    """
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def child_pids() -> list[int]:
    """Return the pids of this process's children, zombies included; empty where unknown."""
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


#: Names of task processes, and of what they fork, begin so (``set_process_name``).
TASK_NAME_PREFIX = "tw:"


def attempt_of(pid: int) -> str | None:
    """Return the key of the attempt that process *pid* belongs to, None if that is not known."""
    folder = Path("/proc") / str(pid)
    try:
        name = (folder / "comm").read_text().rstrip("\n")
        if name.startswith(TASK_NAME_PREFIX):
            return name[len(TASK_NAME_PREFIX) :]
        environment = (folder / "environ").read_bytes()
    except OSError:
        return None
    mark = f"{ATTEMPT_VARIABLE}=".encode()
    for entry in environment.split(b"\0"):
        if entry.startswith(mark):
            return entry[len(mark) :].decode(errors="replace")
    return None
