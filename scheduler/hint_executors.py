"""Step: tell executors about queued work, and again about what nobody claimed.

Hints are sent after the commit that queued. Losing one costs time only: the runner looks by
itself now and then, and what stays unclaimed is hinted again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..executors.base import Executor, Hint
from .step import Tick

log = logging.getLogger(__name__)


class HintExecutors:
    """Comes last in the loop's order."""

    name = "hint executors"

    def __init__(self, executors: Mapping[str, Executor]) -> None:
        self._executors = executors
        self._unknown: set[str] = set()

    def run(self, tick: Tick) -> None:
        """Submit all hints of this tick."""
        for name, queued in tick.hints.items():
            executor = self._executors.get(name)
            if executor is None:
                self._report_unknown(name)
                continue
            for task_instance_id, epoch, queue in queued:
                executor.submit(Hint(task_instance_id, epoch, queue))
        tick.hints.clear()

    def _report_unknown(self, name: str) -> None:
        if name not in self._unknown:
            self._unknown.add(name)
            log.error("tasks wait for executor %r, which is not among [core] executor", name)
