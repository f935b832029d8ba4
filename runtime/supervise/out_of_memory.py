"""Was a SIGKILL the kernel's, for want of memory? Told by its own counters.

``memory.events`` of our control group counts kills inside it; ``/proc/vmstat`` counts those of
the whole machine. Both only grow, so a step since the last look is evidence.
"""

from __future__ import annotations

from pathlib import Path


class OutOfMemoryWatch:
    """Remembers the counters."""

    def __init__(self, root: Path = Path("/")) -> None:
        """Args: root: of the file system; another one in tests."""
        self._events = _group_events(root)
        self._vmstat = root / "proc/vmstat"
        self._seen = self._count()

    def has_killed(self) -> bool:
        """Whether the kernel has killed for memory since the last call."""
        count = self._count()
        is_more = count > self._seen
        self._seen = count
        return is_more

    def _count(self) -> int:
        paths = [self._vmstat] if self._events is None else [self._vmstat, self._events]
        return sum(_counter(path) for path in paths)


def _counter(path: Path) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    for line in lines:
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return 0


def _group_events(root: Path) -> Path | None:
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("0::"):
            return root / "sys/fs/cgroup" / line[3:].lstrip("/") / "memory.events"
    return None
