"""The real store on SQLite in memory, seen through a connection that may fail.

Each call of an operation gives control away before and after it, so that an actor may be killed
before its transaction or between the commit and whatever it does next. The call may fail before
the transaction, or after its commit: then the caller does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim_kernel import ActorKilled, Kernel
from sqlalchemy.exc import OperationalError
from tradewind.database.store import Store
from tradewind.sdk.errors import TradewindError

GROUPS = (
    "files",
    "dags",
    "runs",
    "assets",
    "attempts",
    "workers",
    "task_instances",
    "pools",
    "processes",
    "triggers",
)

#: What may be planned to go wrong at one call: it fails, its answer is lost, or the caller dies.
BEFORE, AFTER, KILLED = "fails", "answer lost", "killed"


class FaultyStore:
    """One actor's connection to the store."""

    def __init__(
        self, store: Store, kernel: Kernel, actor: str, check: Callable[[str], None]
    ) -> None:
        self.settings = store.settings
        self.clock = store.clock
        self.watchers = store.watchers  # no simulated DAG has any: a fault there shows nothing
        for name in GROUPS:
            group = getattr(store, name, None)
            if group is not None:
                setattr(self, name, FaultyGroup(group, kernel, actor, name, check))


class FaultyGroup:
    """One group of operations."""

    def __init__(
        self,
        group: Any,
        kernel: Kernel,
        actor: str,
        name: str,
        check: Callable[[str], None],
    ) -> None:
        self._group = group
        self._kernel = kernel
        self._actor = actor
        self._name = name
        self._check = check

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        act = getattr(self._group, operation)
        label = f"{self._name}.{operation}"

        def call(*arguments: Any, **named: Any) -> Any:
            kernel = self._kernel
            kernel.switch(label)
            kernel.calls += 1
            planned = (
                kernel.planned[1] if kernel.planned and kernel.planned[0] == kernel.calls else ""
            )
            if planned == BEFORE or kernel.random.random() < kernel.faults.store_fails:
                raise OperationalError(label, {}, OSError("simulated: disk I/O error"))
            try:
                answer = act(*arguments, **named)
                self._check(self._actor)
            except TradewindError:
                raise
            except Exception as error:
                kernel.failure = error
                raise ActorKilled from error
            if planned == KILLED:
                raise ActorKilled
            if planned == AFTER or kernel.random.random() < kernel.faults.store_fails_after_commit:
                raise OperationalError(label, {}, OSError("simulated: answer of commit lost"))
            kernel.switch(f"{label} done")
            return answer

        setattr(self, operation, call)
        return call
