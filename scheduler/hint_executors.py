"""Step: tell executors about queued work, and again about what nobody claimed.

Hints are sent after the commit that queued. Losing one costs time only: each sweep looks for what
a runner with room has not taken, and hints it again, every ``rehint_s`` seconds. What somebody
else has queued (a runner with its results, a person who cleared a task) is found so, too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from ..executors.base import Executor, Hint
from ..sdk.executor_names import ExecutorNames
from .step import Store, Tick

log = logging.getLogger(__name__)

#: So long whoever queued has to hint, before this step does it for him.
PATIENCE_S = 0.5


class HintExecutors:
    """Comes last in the loop's order."""

    name = "hint executors"

    def __init__(
        self,
        executors: Mapping[str, Executor],
        store: Store,
        names: ExecutorNames | None = None,
        rehint_s: float = 15.0,
    ) -> None:
        """Args: executors: by canonical name. names: what else tasks may call them."""
        self._executors = executors
        self._store = store
        self._names = names or ExecutorNames()
        self._rehint_after = timedelta(seconds=rehint_s)
        self._unknown: set[str] = set()
        #: (task instance id, epoch) → when it may be hinted again; only what nobody took at once.
        self._due_again: dict[tuple[int, int], datetime] = {}

    def run(self, tick: Tick) -> None:
        """Submit all hints of this tick."""
        if tick.is_sweep:
            self._find_overlooked(tick)
        for name, queued in tick.hints.items():
            executor = self._executors.get(self._names.resolve(name) or name)
            if executor is None:
                self._report_unknown(name)
                continue
            for task_instance_id, epoch, queue in queued:
                executor.submit(Hint(task_instance_id, epoch, queue))
        tick.hints.clear()

    def _find_overlooked(self, tick: Tick) -> None:
        before = tick.now - timedelta(seconds=PATIENCE_S)
        overlooked = self._store.attempts.overlooked(before)
        waiting = {}
        for name, queued in overlooked.items():
            for task_instance_id, epoch, queue in queued:
                due = self._due_again.get((task_instance_id, epoch))
                if due is None or due <= tick.now:
                    tick.add_hints({name: [(task_instance_id, epoch, queue)]})
                    due = tick.now + self._rehint_after
                waiting[task_instance_id, epoch] = due
        self._due_again = waiting

    def _report_unknown(self, name: str) -> None:
        if name not in self._unknown:
            self._unknown.add(name)
            log.error("tasks wait for executor %r, which is not among [core] executor", name)
