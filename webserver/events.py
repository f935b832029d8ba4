"""The hub of live pages: one watcher of the event log a process, and a bounded queue a reader.

The stream is a hint: it says which DAG or run has changed, and pages ask for what they show. So
it holds no secrets and no states, and a message that is lost costs one look at most.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Iterable, Sequence
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from ..database.bell import BellListener
from ..database.event_follower import EventFollower, LogReplaced

if TYPE_CHECKING:
    from ..database.store import Store
    from ..database.values import EventRow

#: A sweep without any bell.
SWEEP_S = 1.0
#: Changes within this time become one message for each run.
COALESCE_S = 0.1
QUEUE_MAX = 256
#: A reader who missed more than this looks at everything again.
BACKLOG_MAX = 2000
#: How long the watcher stays without readers.
IDLE_SWEEPS_MAX = 5

Message = dict[str, Any]


class Subscription:
    """One reader's messages. A reader who is too slow gets "resync" instead of what was lost."""

    def __init__(self) -> None:
        self._queue: Queue[Message] = Queue(QUEUE_MAX)

    def put(self, message: Message) -> None:
        """Add a message; a full queue is emptied and says so."""
        try:
            self._queue.put_nowait(message)
        except Full:
            with contextlib.suppress(Empty):
                while True:
                    self._queue.get_nowait()
            self._queue.put_nowait({"kind": "resync", "cursor": message["cursor"]})

    def get(self, timeout_s: float) -> Message | None:
        """Return the next message, None: there was none in this time."""
        try:
            return self._queue.get(timeout=timeout_s)
        except Empty:
            return None


class Hub:
    """All readers of one process. The watcher's thread lives only while there are some."""

    def __init__(self, store: Store, streams_max: int) -> None:
        self._store = store
        self._streams_max = streams_max
        self._lock = threading.Lock()
        self._readers: set[Subscription] = set()
        self._watcher: threading.Thread | None = None
        self._cursor = 0
        self._follower: EventFollower | None = None

    def subscribe(self) -> tuple[Subscription, int] | None:
        """Return a subscription and where it begins; None: there are too many already."""
        with self._lock:
            if len(self._readers) >= self._streams_max:
                return None
            if self._watcher is None:
                self._cursor = self._store.events.last_id()
                self._follower = None
                self._watcher = threading.Thread(target=self._watch, name="events", daemon=True)
                self._watcher.start()
            reader = Subscription()
            self._readers.add(reader)
            return reader, self._cursor

    def unsubscribe(self, reader: Subscription) -> None:
        """Forget a reader who has gone."""
        with self._lock:
            self._readers.discard(reader)

    def _watch(self) -> None:
        listener = self._listen()
        idle = 0
        try:
            while True:
                if listener is not None:
                    select.select([listener], [], [], SWEEP_S)
                    time.sleep(COALESCE_S)
                    listener.drain()
                else:
                    time.sleep(SWEEP_S)
                try:
                    self._deliver()
                except Exception:  # noqa: BLE001 - a database that is away comes back; readers wait
                    time.sleep(SWEEP_S)
                with self._lock:
                    idle = 0 if self._readers else idle + 1
                    if idle > IDLE_SWEEPS_MAX:
                        self._watcher = None
                        return
        finally:
            if listener is not None:
                listener.close()

    def _listen(self) -> BellListener | None:
        home = self._store.settings.home
        if home is None:
            return None
        try:
            return self._store.listen("web", home)
        except OSError:
            return None

    def _deliver(self) -> None:
        if self._follower is None:
            self._follower = EventFollower(self._store, self._cursor)
        try:
            rows = self._follower.take()
        except LogReplaced:  # what the pages show may never have happened
            self._cursor = self._store.events.last_id()
            self._tell([{"kind": "resync", "cursor": self._cursor}])
            return
        if not rows:
            return
        self._cursor = max(self._cursor, rows[-1].id)
        self._tell(messages_of(rows))

    def _tell(self, messages: Sequence[Message]) -> None:
        with self._lock:
            for reader in self._readers:
                for message in messages:
                    reader.put(message)


def messages_of(rows: Iterable[EventRow]) -> list[Message]:
    """Return one message for each kind and run, in order of the last change; others are left out.

    What is about no DAG (a variable, a user) is nobody's page to follow.
    """
    found: dict[tuple[str, str | None, str | None], int] = {}
    for row in rows:
        if row.dag_id is None:
            continue
        key = ("state" if row.kind == "state" else "act", row.dag_id, row.run_id)
        found.pop(key, None)
        found[key] = row.id
    return [
        {"kind": kind, "dag_id": dag_id, "run_id": run_id, "cursor": cursor}
        for (kind, dag_id, run_id), cursor in found.items()
    ]


def messages_since(store: Store, cursor: int) -> tuple[int, list[Message]]:
    """Return the newest cursor and what changed since *cursor*; "resync" where that is too much."""
    rows = store.events.since(cursor, limit=BACKLOG_MAX)
    if len(rows) >= BACKLOG_MAX:
        last = store.events.last_id()
        return last, [{"kind": "resync", "cursor": last}]
    return (rows[-1].id if rows else cursor), messages_of(rows)
