"""Step: queue scheduled task instances that the limits let through."""

from __future__ import annotations

from .step import Store, Tick


class QueueTaskInstances:
    """Whoever writes a result queues too; here comes what waited for a slot or a limit."""

    name = "queue task instances"

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, tick: Tick) -> None:
        """Choose and queue in one transaction of the store."""
        tick.add(self._store.attempts.queue(tick.now))
