"""Scripted task processes behind the runner's ``Processes`` interface.

How a try ends is a pure function of the seed and its names. A witness outside the database notes
each start and each end; the checks trust it, not the product.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from sim_kernel import Kernel
from sim_workload import events_of
from tradewind.runtime.supervise.processes import (
    BellRang,
    Event,
    Reply,
    TaskBegan,
    TaskEnded,
    TaskEntered,
    TaskOrder,
)
from tradewind.runtime.task.task_spec import TaskResult

#: What a deferring task waits for.
TRIGGER = {
    "class_path": "simulated.Trigger",
    "kwargs": "{}",
    "next_method": "resume",
    "next_kwargs": "{}",
    "timeout_s": 3600.0,
}


@dataclass
class Witness:
    """What really happened, in order."""

    starts: list[tuple[int, int]] = field(default_factory=list)  # task instance, epoch
    ends: dict[tuple[int, int], str] = field(default_factory=dict)
    started_s: dict[tuple[int, int], float] = field(default_factory=dict)
    ended_s: dict[tuple[int, int], float] = field(default_factory=dict)


class MemoryJournal:
    """A runner's entry journal on a disk that survives it."""

    def __init__(self) -> None:
        self._entered: set[str] = set()

    def note(self, key: str) -> None:
        """A task process writes down that it enters user code."""
        self._entered.add(key)

    def entered(self) -> set[str]:
        return set(self._entered)

    def empty(self) -> None:
        self._entered.clear()

    def shorten(self) -> None:
        """Never long here."""


class MemorySpool:
    """The runner's spool on a disk that survives it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, str], object] = {}

    def save(self, results) -> None:
        for one in results:
            self._kept[one.task_instance_id, one.epoch, one.claim_id] = one

    def forget(self, results) -> None:
        for one in results:
            self._kept.pop((one.task_instance_id, one.epoch, one.claim_id), None)

    def load(self) -> list:
        return list(self._kept.values())


@dataclass
class _Task:
    order: TaskOrder
    script: list[tuple[float, Event]]
    ignores_sigterm: bool


class SimProcesses:
    """All task processes of one runner."""

    def __init__(
        self, kernel: Kernel, seed: int, witness: Witness, on_entry: Callable[[str], None]
    ) -> None:
        self._kernel = kernel
        self._seed = seed
        self._witness = witness
        self._on_entry = on_entry
        self._tasks: dict[str, _Task] = {}
        self._deferring: set[tuple[str, str]] = set()

    def defers(self, dag_id: str, task_id: str) -> None:
        """Let the first start of each try of a task end in a deferral."""
        self._deferring.add((dag_id, task_id))

    def start(self, order: TaskOrder) -> None:
        claim = order.claim
        name = f"{self._seed}:{claim.dag_id}:{claim.run_id}:{claim.task_id}:{claim.try_number}"
        chance = random.Random(name)
        outcome = chance.choices(["success", "failed", "skipped"], [7, 2, 1])[0]
        now_s = self._kernel.steady_s
        began_s = now_s + chance.uniform(0.0, 0.5)
        ended_s = began_s + chance.choice([0.1, 1.0, 5.0, 20.0])
        is_deferral = (claim.dag_id, claim.task_id) in self._deferring and not claim.next_method
        if is_deferral:
            outcome = "deferred"
        made = events_of(claim.dag_id, claim.task_id) if outcome == "success" else []
        result = TaskResult(outcome, asset_events=made, trigger=TRIGGER if is_deferral else None)
        ended = TaskEnded(order.key, result=result, exit_code=0)
        script: list[tuple[float, Event]] = [
            (now_s, TaskBegan(order.key, pid=4711)),
            (began_s, TaskEntered(order.key)),
        ]
        if self._kernel.random.random() < self._kernel.faults.task_killed:
            ended_s = self._kernel.random.uniform(now_s, ended_s)
            ended = TaskEnded(order.key, signal=signal.SIGKILL)
        script = [one for one in script if one[0] <= ended_s]
        script.append((ended_s, ended))
        self._tasks[order.key] = _Task(order, script, chance.random() < 0.2)

    def poll(self, wait_s: float) -> list[Event]:
        due = [task.script[0][0] for task in self._tasks.values()]
        until_s = min([self._kernel.steady_s + wait_s, *due])
        has_rung = self._kernel.sleep(until_s - self._kernel.steady_s)
        events: list[Event] = [BellRang()] if has_rung else []
        for task in list(self._tasks.values()):
            while task.script and task.script[0][0] <= self._kernel.steady_s:
                events.append(task.script.pop(0)[1])
                self._note(task, events[-1])
        return events

    def signal(self, key: str, number: int) -> None:
        task = self._tasks.get(key)
        if task is None or (number == signal.SIGTERM and task.ignores_sigterm):
            return
        task.script = [(self._kernel.steady_s, TaskEnded(key, signal=number))]

    def kill_all(self) -> None:
        """The runner died, and the kernel killed its descendants."""
        self._tasks.clear()

    def answer(self, asker: object, reply: Reply) -> None:
        """Scripted tasks ask nothing."""

    def note(self, key: str, text: str) -> None:
        """No log here."""

    def close_log(self, key: str, verdict: str) -> None:
        """No log here."""

    def close_left_log(self, log_path: str, verdict: str) -> None:
        """No log here."""

    def close_left_logs(self, verdict: str) -> None:
        """No log here."""

    def stop(self) -> None:
        self.kill_all()

    def _note(self, task: _Task, event: Event) -> None:
        claim = task.order.claim
        attempt = (claim.task_instance_id, claim.epoch)
        if isinstance(event, TaskEntered):
            self._witness.starts.append(attempt)
            self._witness.started_s[attempt] = self._kernel.steady_s
            self._on_entry(event.key)
        elif isinstance(event, TaskEnded):
            del self._tasks[event.key]
            ok = event.result is not None
            self._witness.ends[attempt] = event.result.outcome if ok else "killed"
            self._witness.ended_s[attempt] = self._kernel.steady_s
