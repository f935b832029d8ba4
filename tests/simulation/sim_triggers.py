"""Scripted triggers behind the triggerer's ``TriggerProcess`` interface."""

from __future__ import annotations

import random

from sim_kernel import Kernel
from tradewind.database.values import ClaimedTrigger
from tradewind.runtime.supervise.trigger_process import Heard
from tradewind.runtime.task.run_trigger import TriggerReport


class SimTriggers:
    """All triggers of one triggerer. When one fires is a function of the seed and its names."""

    def __init__(self, kernel: Kernel, seed: int) -> None:
        self._kernel = kernel
        self._seed = seed
        self._due: dict[int, float] = {}

    def run(self, trigger: ClaimedTrigger) -> None:
        name = f"{self._seed}:{trigger.run_id}:{trigger.task_id}:{trigger.try_number}"
        wait_s = random.Random(name).choice([0.0, 1.0, 10.0])
        self._due[trigger.id] = self._kernel.steady_s + wait_s

    def cancel(self, trigger_id: int, *, is_by_user: bool) -> None:
        self._due.pop(trigger_id, None)

    def wait(self, timeout_s: float) -> Heard:
        until_s = min([self._kernel.steady_s + timeout_s, *self._due.values()])
        self._kernel.sleep(until_s - self._kernel.steady_s)
        fired = [id_ for id_, due_s in self._due.items() if due_s <= self._kernel.steady_s]
        for id_ in fired:
            del self._due[id_]
        return Heard(reports=[TriggerReport(id_) for id_ in fired])

    def answer(self, reply: object) -> None:
        """Scripted triggers ask nothing."""

    def stop(self) -> None:
        self._due.clear()
