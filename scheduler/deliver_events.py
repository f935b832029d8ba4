"""Tells listeners of plugins what was committed: runs, assets, events, import errors.

Listeners are user code, so a callback child calls them, never the scheduler. What they hear is
read from the event log and the asset events behind a cursor that is kept in the home folder: each
event is told at least once, in order, and one that cannot be told is left out after a few tries.
Nothing is read where nobody listens. Source: ``spec/semantics.md`` section 5.10.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from ..database.values import EventRow
from ..runtime.supervise.log_files import TaskLog
from ..runtime.supervise.requests import RequestScope
from ..runtime.task.callback_messages import CallbackOrder
from ..sdk.clock import Clock
from ..sdk.listeners import TASK_HOOKS
from .callback_children import EndedDelivery
from .parse_settings import ParseSettings

log = logging.getLogger(__name__)

#: Most events that one child is told.
BATCH_MAX = 200
#: How often one batch is begun before it is left out.
TRIES_MAX = 3
_RUN_HOOKS = {
    "running": "on_dag_run_running",
    "success": "on_dag_run_success",
    "failed": "on_dag_run_failed",
}


class Children(Protocol):
    """What is needed of ``CallbackChildren``."""

    def running(self) -> int: ...
    def poll(self) -> list[EndedDelivery]: ...
    def start(
        self, message_id: int, order: CallbackOrder, scope: RequestScope | None, log: TaskLog
    ) -> None: ...


class DeliverEvents:
    """One per home, in the parser manager's process. ``run`` is one pass and never waits."""

    def __init__(
        self,
        *,
        store: Any,
        clock: Clock,
        children: Children,
        settings: ParseSettings,
        cursor_path: Path,
        open_log: Callable[[], TaskLog],
    ) -> None:
        """Args: cursor_path: where it is kept how far was told."""
        self._store = store
        self._clock = clock
        self._children = children
        self._settings = settings
        self._cursor_path = cursor_path
        self._open_log = open_log
        self._cursor: dict[str, int] | None = None
        self._next: dict[str, int] = {}
        self._errors: list[Mapping[str, Any]] = []
        self._in_hand: list[Mapping[str, Any]] = []
        self._log: TaskLog | None = None
        self._tries = 0
        self._number = 0

    def note_import_error(self, path: str, error: str, is_new: bool) -> None:
        """Tell of a DAG file that cannot be imported."""
        hook = "on_new_dag_import_error" if is_new else "on_existing_dag_import_error"
        told = {"hook": hook, "filename": path, "stacktrace": error}
        self._errors = [*self._errors[-BATCH_MAX:], told]

    def is_idle(self) -> bool:
        """Tell whether nothing is in hand."""
        return not self._in_hand

    def run(self, hooks: frozenset[str] | None) -> None:
        """Take in what ended, and begin the next batch.

        Args:
            hooks: those that are listened to; None: that is not known yet.
        """
        for ended in self._children.poll():
            self._take(ended)
        if hooks is None:
            if self._cursor is None:  # what the first files bring is told, too
                self._cursor = self._load_cursor()
            return
        if not hooks - TASK_HOOKS:
            self._errors.clear()
            self._cursor = None  # one that comes later hears of what happens from then on
            return
        if self._in_hand:
            return
        if self._cursor is None:
            self._cursor = self._load_cursor()
        told = self._collect(hooks)
        if not told:
            if self._next != self._cursor:
                self._cursor = dict(self._next)
            return
        self._in_hand, self._tries = told, 0
        self._begin()

    # -- what is to be told -----------------------------------------------------------------------

    def _collect(self, hooks: frozenset[str]) -> list[Mapping[str, Any]]:
        assert self._cursor is not None  # noqa: S101 - the caller's
        self._next = dict(self._cursor)
        # Taken out: one that comes while these are told must not go when they have been.
        told, self._errors = self._errors, []
        rows: Sequence[EventRow] = self._store.events.since(self._cursor["event"], BATCH_MAX)
        for row in rows:
            self._next["event"] = row.id
            told.extend(self._of_run(row))
        if any("asset" in hook or "dataset" in hook for hook in hooks):
            for asset in self._store.assets.made_after(self._cursor["asset"], BATCH_MAX):
                self._next["asset"] = asset.id
                about = {name: getattr(asset, name) for name in ("name", "uri", "group", "extra")}
                told.append({"hook": "on_asset_created", "asset": about})
            after_id = self._cursor["asset_event"]
            for asset_event in self._store.assets.events(after_id=after_id, limit=BATCH_MAX):
                self._next["asset_event"] = asset_event.id
                told.append({"hook": "on_asset_changed", "asset_event": asdict(asset_event)})
        return [one for one in told if _is_heard(one["hook"], hooks)]

    def _of_run(self, row: EventRow) -> list[Mapping[str, Any]]:
        change = row.detail.get("run") if row.kind == "state" else None
        if not isinstance(change, list) or len(change) < 4:
            return []
        hook = _RUN_HOOKS.get(change[2])
        if hook is None or change[1] == change[2]:
            return []
        run = self._store.runs.find(row.dag_id, row.run_id)
        if run is None:
            return []
        return [{"hook": hook, "dag_run": {**asdict(run), "state": change[2]}, "msg": change[3]}]

    # -- telling it -------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._tries += 1
        self._number += 1
        order = CallbackOrder(
            key=f"listeners@{self._number}",
            path="",
            relative_path="",
            import_folders=list(self._settings.import_folders),
            dag_id="",
            run_id="",
            kind="listeners",
            reason="",
            events=[dict(one) for one in self._in_hand],
        )
        self._log = self._open_log()
        self._children.start(self._number, order, None, self._log)

    def _take(self, ended: EndedDelivery) -> None:
        if ended.message_id != self._number:
            return
        if self._log is not None:
            self._log.close(ended.error or "Listeners were called")
            self._log = None
        if ended.error and self._tries < TRIES_MAX:
            log.warning("listeners were not called, again: %s", ended.error)
            self._begin()
            return
        if ended.error:
            log.error("%d events were not told to listeners: %s", len(self._in_hand), ended.error)
        self._in_hand = []
        self._cursor = dict(self._next)
        self._keep_cursor()

    # -- how far ----------------------------------------------------------------------------------

    def _load_cursor(self) -> dict[str, int]:
        last = self._store.assets.events(is_ascending=False, limit=1)
        newest = {
            "event": self._store.events.last_id(),
            "asset_event": last[0].id if last else 0,
            "asset": self._store.assets.newest_id(),
        }
        try:
            kept = json.loads(self._cursor_path.read_text())
            # Of another database, or written by hand: nothing is told twice because of it.
            return {name: min(int(kept.get(name, last)), last) for name, last in newest.items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError, TypeError) as error:
            log.warning("cannot read %s, listeners hear from now on: %s", self._cursor_path, error)
        return newest

    def _keep_cursor(self) -> None:
        try:
            self._cursor_path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._cursor_path.with_suffix(".draft")
            draft.write_text(json.dumps(self._cursor))
            draft.replace(self._cursor_path)
        except OSError as error:
            log.warning("cannot keep how far listeners were told: %s", error)


def _is_heard(hook: str, hooks: frozenset[str]) -> bool:
    # What happens to an asset is told under several names.
    if hook == "on_asset_changed":
        return any("asset" in one or "dataset" in one for one in hooks)
    if hook == "on_asset_created":
        return not hooks.isdisjoint(("on_asset_created", "on_dataset_created"))
    return hook in hooks
