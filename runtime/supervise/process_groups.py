"""Finding and ending processes that an earlier runner of this slot left behind.

Every process below a runner carries the name of the runner's slot and incarnation in the
environment it was started with: a zygote has it from its exec, and all that is forked or started
below inherits it. So leftovers are found by evidence, not by guessing from names.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

#: ``SLOT:INCARNATION``, set in the environment of everything that a runner starts.
RUNNER_VARIABLE = "TRADEWIND_RUNNER"

_PROC = Path("/proc")


def runner_mark(slot: str, incarnation: str) -> str:
    """Return the value of ``RUNNER_VARIABLE`` for one incarnation."""
    return f"{slot}:{incarnation}"


def find_leftovers(slot: str, incarnation: str) -> list[int]:
    """Return the pids of processes of this slot that an other incarnation has started."""
    prefix = f"{RUNNER_VARIABLE}={slot}:".encode()
    own = f"{RUNNER_VARIABLE}={runner_mark(slot, incarnation)}".encode()
    found: list[int] = []
    if not _PROC.is_dir():
        return found
    for name in os.listdir(_PROC):  # noqa: PTH208 - thousands of entries, none worth an object
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            entries = (_PROC / name / "environ").read_bytes().split(b"\0")
        except OSError:  # it ended, or belongs to another user
            continue
        if any(entry.startswith(prefix) and entry != own for entry in entries):
            found.append(int(name))
    return found


def kill_leftovers(slot: str, incarnation: str, wait_s: float = 5.0) -> int:
    """Kill what an earlier incarnation left behind, and wait until it is gone.

    Returns:
        How many processes there were. One that cannot be killed (it waits for a device) is
        left after *wait_s* seconds.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + wait_s
    while True:
        leftovers = [pid for pid in find_leftovers(slot, incarnation) if not _is_zombie(pid)]
        if not leftovers or time.monotonic() > deadline:
            return len(killed)
        for pid in leftovers:
            killed.add(pid)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def process_started_at(pid: int) -> float | None:
    """Return when a process began, in clock ticks since boot; None if there is none.

    One that has ended and waits to be reaped is none: who reaps it may take its time.
    """
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything; the 22nd field is counted from behind it.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else float(fields[19])


def boot_id() -> str:
    """Return what tells this start of the machine from all others; empty where unknown."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _is_zombie(pid: int) -> bool:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] in ("Z", "X")
