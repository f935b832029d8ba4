"""The triggerer's side of triggers that watch assets: which run, what they said, what ended."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass
from datetime import datetime

from ...database.store import Store
from ...database.values import ClaimedWatcher, WatcherEnd, WatcherEvent
from ..task.run_trigger import WatcherReport
from .trigger_process import TriggerProcess

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Watching:
    """A watcher in hand. ``run_number``: 0 where its trigger has ended, and that is not told."""

    watcher: ClaimedWatcher
    run_number: int = 0
    event_count: int = 0


class WatcherDesk:
    """Begins the triggers of watchers, and tells the store each of their events once.

    Each run has a number of its own, negative ones, since they share the process with the
    triggers of tasks: what an earlier run of the same watcher still says is not taken for the
    new one's.
    """

    def __init__(self, store: Store, process: TriggerProcess) -> None:
        self._store = store
        self._process = process
        self._numbers = itertools.count(-1, -1)
        self._watching: dict[int, _Watching] = {}
        self._by_run: dict[int, _Watching] = {}
        self._events: list[WatcherEvent] = []
        self._ends: list[WatcherEnd] = []
        self._is_any_waiting = False

    @property
    def count(self) -> int:
        """How many watchers are in hand."""
        return len(self._watching)

    @property
    def is_needed(self) -> bool:
        """Whether a watcher runs, or one is to begin again after its pause."""
        return bool(self._watching) or self._is_any_waiting

    def note(self, said: WatcherReport) -> None:
        """Keep what the trigger of a watcher said, until it is written."""
        watching = self._by_run.get(said.run_number)
        if watching is None:
            return  # it was stopped meanwhile
        watcher_id = watching.watcher.id
        if not said.has_ended:
            watching.event_count += 1
            self._events.append(WatcherEvent(watcher_id, watching.event_count, said.payload))
            return
        if said.error:
            log.warning("the asset watcher %s failed; it begins again later", watching.watcher.name)
        self._ends.append(WatcherEnd(watcher_id, said.error))
        del self._by_run[said.run_number]
        watching.run_number = 0

    def write(self, worker_id: str, now: datetime) -> None:
        """Tell the store; where it cannot be told now, all is kept and told again."""
        if not (self._events or self._ends):
            return
        self._store.watchers.report(worker_id, self._events, self._ends, now)
        for end in self._ends:
            self._watching.pop(end.watcher_id, None)
        self._events, self._ends = [], []

    def look(self, worker_id: str, room: int, now: datetime) -> None:
        """Stop what nobody declares any more, and begin what is free and due."""
        if self._watching:
            held = self._store.watchers.held(worker_id)
            for watcher_id in self._watching.keys() - held:
                self._stop(self._watching.pop(watcher_id))
        if room > len(self._watching):
            for watcher in self._store.watchers.claim(worker_id, room - len(self._watching), now):
                self._watching[watcher.id] = watching = _Watching(watcher)
                if watcher.problem:
                    self._ends.append(WatcherEnd(watcher.id, watcher.problem))
                else:
                    self._begin(watching)
            self.write(worker_id, now)
        self._is_any_waiting = not self._watching and self._store.watchers.is_any_in_force()

    def begin_again(self) -> None:
        """Begin all anew: the process in which they ran has died."""
        self._by_run.clear()
        for watching in self._watching.values():
            self._begin(watching)

    def release_unknown(self, worker_id: str) -> None:
        """Give back watchers of a claim whose answer was lost."""
        self._store.watchers.release(worker_id, keep=self._watching)

    def forget(self) -> None:
        """Begin from nothing: the lease is over, and others have the watchers."""
        self._watching.clear()
        self._by_run.clear()
        self._events, self._ends = [], []

    def _begin(self, watching: _Watching) -> None:
        watching.run_number = next(self._numbers)
        self._by_run[watching.run_number] = watching
        self._process.watch(watching.run_number, watching.watcher)

    def _stop(self, watching: _Watching) -> None:
        if watching.run_number:
            self._by_run.pop(watching.run_number, None)
            self._process.cancel(watching.run_number, is_by_user=False)
