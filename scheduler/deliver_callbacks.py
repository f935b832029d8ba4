"""Delivers the outbox: callbacks of DAGs, and those of tasks whose process was lost or killed.

A message is taken with a lease and given to a callback child. It is done when the child has
called every callback, whatever these raised; anything else (a file that cannot be imported, a
killed child) is tried again later, and parked after the last try. So each is called at least
once, and once only unless its process was killed (``spec/reliability.md``, G-U4). Plain code
against an injected store, clock and children.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..database.values import OutboxRow
from ..runtime.supervise.log_files import TaskLog
from ..runtime.supervise.outages import Backoff, log_failure
from ..runtime.supervise.requests import RequestScope
from ..runtime.task.callback_messages import CallbackOrder
from ..sdk.clock import Clock, next_round_s
from .callback_children import EndedDelivery
from .callback_orders import Prepared, prepare_order
from .parse_settings import ParseSettings

log = logging.getLogger(__name__)

#: How often the outbox is looked at although no bell rang.
SWEEP_S = 1.0
PARALLEL = 4
#: Added to the time limit: a lease must outlast the child, and the commit after it.
LEASE_MARGIN_S = 30.0


class Children(Protocol):
    """What the delivery needs of ``CallbackChildren``."""

    def running(self) -> int: ...
    def start(
        self, message_id: int, order: CallbackOrder, scope: RequestScope | None, log: TaskLog
    ) -> None: ...
    def poll(self) -> list[EndedDelivery]: ...


class Journal(Protocol):
    """What it needs of ``DeliveryJournal``."""

    def keys(self) -> set[str]: ...
    def has(self, key: str) -> bool: ...
    def is_empty(self) -> bool: ...
    def empty(self) -> None: ...


@dataclass(slots=True)
class _Delivery:
    row: OutboxRow
    key: str
    log: TaskLog
    #: Nothing was called: that is to be done then.
    deadline_at: datetime | None = None


class DeliverCallbacks:
    """One per home, in the parser manager's process. ``run`` is one pass and never waits."""

    def __init__(
        self,
        *,
        store: Any,
        clock: Clock,
        children: Children,
        journal: Journal,
        settings: ParseSettings,
        open_log: Callable[[str, str], TaskLog],
    ) -> None:
        """Args: open_log: opens the log of the callbacks of a DAG id's run id."""
        self._store = store
        self._clock = clock
        self._children = children
        self._journal = journal
        self._settings = settings
        self._open_log = open_log
        self._delivering: dict[int, _Delivery] = {}
        self._ended: list[tuple[_Delivery, str]] = []  # not in the store yet
        self._earlier = journal.keys()  # called to their end under a manager that died since
        self._next_look_s = float("-inf")
        self._backoff = Backoff(clock)

    def look_now(self) -> None:
        """Look at the outbox in the next pass: somebody rang."""
        self._next_look_s = float("-inf")

    def is_idle(self) -> bool:
        """Tell whether nothing is in hand."""
        return not (self._delivering or self._ended)

    def run(self) -> None:
        """Take in what ended, store it, and begin what is due. An outage only delays it."""
        for ended in self._children.poll():
            self._take(ended)
        if not self._backoff.is_over():
            return
        try:
            self._store_ends()
            self._begin_due()
        except Exception:  # noqa: BLE001 - log_failure tells
            self._backoff.fail()
            log_failure(log, "callbacks cannot be delivered now")
        else:
            self._backoff.succeed()

    def _begin_due(self) -> None:
        now_s = self._clock.monotonic()
        free = PARALLEL - self._children.running()
        if now_s < self._next_look_s or free <= 0:
            return
        self._next_look_s = next_round_s(now_s, SWEEP_S)
        lease_s = self._settings.time_limit_s + LEASE_MARGIN_S
        rows = self._store.outbox.take(self._clock.now(), free, lease_s)
        for row in rows:
            self._begin(row)
        if not rows and self.is_idle():
            self._forget_notes()
        if len(rows) == free:
            self.look_now()  # there may be more

    def _forget_notes(self) -> None:
        # A message that waits out the lease of a dead manager may be among those noted.
        if not self._journal.is_empty() and not self._store.outbox.has_begun():
            self._journal.empty()
            self._earlier = set()

    def _begin(self, row: OutboxRow) -> None:
        if row.id in self._delivering:
            return  # it outlasted its lease: it was killed, and does not end
        run_id = str(row.payload.get("run_id", ""))
        key = f"{row.id}@{row.created_at.isoformat()}"
        delivery = _Delivery(row, key, self._open_log(row.dag_id, run_id))
        if key in self._earlier:
            delivery.log.note("It was called already, before the parser was started again")
            self._end(delivery, "")
            return
        try:
            prepared = prepare_order(self._store, row, key, self._settings)
        except Exception as error:  # one bad message: it is parked in the end, others go on
            log.exception("a callback cannot be prepared", extra={"dag_id": row.dag_id})
            self._end(delivery, f"{type(error).__name__}: {error}")
            return
        if prepared is None:
            delivery.log.note("Nothing to call: the run or the task instance was deleted")
            self._end(delivery, "")
            return
        self._start(delivery, prepared)

    def _start(self, delivery: _Delivery, prepared: Prepared) -> None:
        row, order = delivery.row, prepared.order
        whose = row.payload.get("task_id") or f"DAG {row.dag_id}"
        delivery.log.note(
            f"Calling {order.kind} callbacks of {whose}: {order.reason} (delivery {row.tries})"
        )
        self._delivering[row.id] = delivery
        self._children.start(row.id, order, prepared.scope, delivery.log)

    def _take(self, ended: EndedDelivery) -> None:
        delivery = self._delivering.pop(ended.message_id, None)
        if delivery is None:
            return
        # Not listened to any more, it may still have called them all: its note counts.
        delivery.deadline_at = ended.deadline_at
        is_called = not ended.error or self._journal.has(delivery.key)
        self._end(delivery, "" if is_called else ended.error)

    def _end(self, delivery: _Delivery, error: str) -> None:
        self._ended.append((delivery, error))

    def _store_ends(self) -> None:
        while self._ended:
            delivery, error = self._ended[0]
            is_parked = False
            if error:
                is_parked = self._store.outbox.fail(delivery.row.id, error, self._clock.now())
            elif delivery.deadline_at is not None:
                self._store.outbox.put_off(delivery.row.id, delivery.deadline_at)
            else:
                self._store.outbox.done(delivery.row.id)
            self._ended.pop(0)
            self._close(delivery, error, is_parked=is_parked)

    def _close(self, delivery: _Delivery, error: str, *, is_parked: bool) -> None:
        row = delivery.row
        if not error:
            at = delivery.deadline_at
            done = "Callbacks were called" if at is None else f"The deadline is {at.isoformat()}"
            delivery.log.close(done)
            return
        then = f"given up after {row.tries} tries" if is_parked else "it is tried again later"
        delivery.log.close(f"Callbacks were not called, {then}: {error}")
        log.log(
            logging.ERROR if is_parked else logging.WARNING,
            "%s of %s was not delivered, %s: %s",
            row.kind,
            row.dag_id,
            then,
            error.strip().rpartition("\n")[2],
        )
