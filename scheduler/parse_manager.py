"""The parse manager: keeps the stored DAGs equal to the files of the DAGs folder.

A scan compares files, and what they read while they were imported, with what is known; what
changed is parsed by a child, at most a few at a time. A broken file keeps its last good version;
a DAG leaves only when its file is gone in two scans or parses well without it
(``spec/reliability.md`` R10). Plain blocking code against an injected store, clock and children.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import msgspec

from ..database.values import DueDag, ParsedDag, ParsedFile
from ..runtime.supervise.outages import log_failure
from ..runtime.task.dag_file import hash_content
from ..runtime.task.parse_messages import Inputs, NextRunRequest, ParseAnswer, ParseRequest
from ..runtime.task.recorded_inputs import fingerprint_connection, fingerprint_value
from ..sdk.clock import Clock
from .custom_timetables import planned_run
from .discovery import NO_MENTION, FoundFile, find_files, have_files_changed, is_below
from .file_cache import FileCache
from .known_files import differs, is_import_error, known_from_row, reason_at_start
from .parse_children import FinishedParse
from .parse_decisions import KnownFile, reason_to_parse
from .parse_settings import DagRoot, ParseSettings
from .plugin_watch import PLUGINS, PluginWatch
from .quarantine import Quarantine
from .unsaved_files import UnsavedFiles

log = logging.getLogger(__name__)

#: After a file went missing: how soon the second scan looks.
MISSING_RESCAN_S = 1.0
#: How often Variables and Connections that were read at import are compared.
VALUES_INTERVAL_S = 5.0
#: How often custom timetables are looked for while files are being imported.
PLANS_INTERVAL_S = 0.1
#: Longest pause while something is left to do (a file may be held back for a moment).
PENDING_INTERVAL_S = 0.02
#: Files that are listed but not imported, per pass: each is a transaction.
LISTED_PER_PASS = 20


class Children(Protocol):
    """What the manager needs of ``ParseChildren``."""

    def running(self) -> list[str]: ...
    def is_suspect(self, relative_path: str) -> bool: ...
    def fork(self, request: ParseRequest) -> None: ...
    def wait(self, timeout_s: float) -> list[FinishedParse]: ...


class ParseManager:
    """One per home. ``run_once`` is one pass; ``scheduler.parse_main`` calls it for ever."""

    def __init__(
        self,
        *,
        store: Any,
        clock: Clock,
        children: Children,
        settings: ParseSettings,
        ring: Callable[[str], None],
        has_changed: Callable[[], bool] = lambda: False,
        keep_output: Callable[[FinishedParse], None] = lambda _finished: None,
        tell_error: Callable[[str, str, bool], None] = lambda _path, _error, _is_new: None,
    ) -> None:
        """Prepare; nothing is read before ``start``.

        Args:
            has_changed: whether a watcher saw something since the last call.
            keep_output: keeps what a child printed.
            tell_error: told of each file that cannot be imported: path, error, whether it could
                be before.
        """
        self._store = store
        self._clock = clock
        self._children = children
        self._settings = settings
        self._ring = ring
        self._has_changed = has_changed
        self._keep_output = keep_output
        self._tell_error = tell_error
        self._cache = FileCache()
        self._known: dict[str, KnownFile] = {}
        self._found: dict[str, FoundFile] = {}
        self._queue: dict[str, str] = {}  # relative path → reason, in order
        self._stamps: dict[str, tuple[int, int, int]] = {}  # of files when their parse began
        self._listed: dict[str, ParsedFile] = {}  # to be stored without an import
        self._unsaved = UnsavedFiles(clock)
        self._quarantine = Quarantine(clock)
        self._next_scan_s = 0.0
        self._next_values_s = 0.0
        self._next_plans_s = 0.0
        self._reported: dict[str, str] = {}
        self._plugins = PluginWatch()

    def start(self) -> None:
        """Read what the store knows; files that did not change since are not imported."""
        for row in self._store.files.load_all():
            if row.is_present:
                known = known_from_row(row, self._clock.monotonic())
                self._known[row.relative_path] = known
                if row.relative_path.startswith(PLUGINS):
                    self._plugins.check_again()
                    continue
                if reason := reason_at_start(known):
                    self._queue[row.relative_path] = reason
        self._next_values_s = self._clock.monotonic() + VALUES_INTERVAL_S

    def run_once(self, timeout_s: float) -> None:
        """Wait at most *timeout_s*, take in what ended, scan if it is time, start children."""
        for finished in self._children.wait(self._wait_s(timeout_s)):
            self._take(finished)
        now_s = self._clock.monotonic()
        if self._has_changed() or now_s >= self._next_scan_s:
            self._scan()
        self._save_pending()
        if not self._quarantine.is_held("values") and now_s >= self._next_values_s:
            self._next_values_s = now_s + VALUES_INTERVAL_S
            self._guard("values", self._queue_changed_values)
        if now_s >= self._next_plans_s or not self._children.running():
            self._next_plans_s = now_s + PLANS_INTERVAL_S
            self._guard("custom timetables", self._plan_custom_timetables)
        self._start_children()

    @property
    def hooks(self) -> frozenset[str] | None:
        """What the listeners of plugins hear of; None: it is not known yet."""
        return self._plugins.hooks

    def is_idle(self) -> bool:
        """Tell whether everything found has been taken in (tests, ``dags reserialize``)."""
        is_waiting = bool(self._queue or self._listed or self._unsaved or self._plugins.is_waiting)
        return not (is_waiting or self._children.running())

    def parse_again(self, relative_path: str) -> None:
        """Parse one file although nothing changed."""
        self._queue.setdefault(relative_path, "asked for")

    # -- scanning -------------------------------------------------------------------------------

    def _scan(self) -> None:
        unreadable: list[str] = []
        found: dict[str, FoundFile] = {}
        for root in self._settings.roots:
            for file in self._find(root, unreadable):
                found[file.relative_path] = file
        has_changed = have_files_changed(self._found, found)
        self._found = found
        self._plugins.look()
        for file in found.values():
            try:
                self._look_at(file, has_changed)
            except OSError as error:
                self._list(file, error=f"cannot read {file.path}: {error.strerror or error}")
        has_missing = self._look_for_missing(unreadable)
        self._cache.trim()
        wait_s = MISSING_RESCAN_S if has_missing else self._settings.scan_interval_s
        self._next_scan_s = self._clock.monotonic() + wait_s

    def _find(self, root: DagRoot, unreadable: list[str]) -> list[FoundFile]:
        def report(relative_path: str, reason: str) -> None:
            unreadable.append(root.prefix + relative_path)
            if self._reported.get(relative_path) != reason:
                self._reported[relative_path] = reason
                log.warning("%s", reason)

        return list(
            find_files(
                root.folder,
                ignore_syntax=self._settings.ignore_syntax,
                report=report,
                prefix=root.prefix,
                before=self._found,
            )
        )

    def _look_at(self, file: FoundFile, has_folder_changed: bool) -> None:
        known = self._known.get(file.relative_path)
        if known is not None:
            known.missing_scans = 0
            is_seen = known.seen_stamp == file.stamp and known.depends_on_itself_only
            if is_seen and not file.ignored_reason:
                return
        if self._is_being_parsed(file):
            return
        if file.ignored_reason:
            self._list(file, reason=file.ignored_reason)
            return
        content = self._cache.content(file)
        if self._settings.is_safe_mode and not content.mentions_dag:
            self._list(file, reason=NO_MENTION, content_hash=content.content_hash)
            return
        reason = reason_to_parse(
            known,
            content.content_hash,
            fingerprint=self._cache.fingerprint,
            has_folder_changed=has_folder_changed,
            reparse_interval_s=self._settings.reparse_interval_s,
            now_s=self._clock.monotonic(),
        )
        if reason:
            self._queue.setdefault(file.relative_path, reason)
        elif known is not None:
            known.seen_stamp = file.stamp

    def _is_being_parsed(self, file: FoundFile) -> bool:
        is_running = file.relative_path in self._children.running()
        return is_running and self._stamps.get(file.relative_path) == file.stamp

    def _list(
        self,
        file: FoundFile,
        *,
        reason: str | None = None,
        error: str | None = None,
        content_hash: str = "",
    ) -> None:
        """Keep a file that is not imported in the list of those without DAGs, with the reason."""
        self._queue.pop(file.relative_path, None)
        known = self._known.get(file.relative_path)
        mark = f":{hash_content(f'{content_hash}:{reason or error}'.encode())}"
        if known is not None and known.is_ignored and known.content_hash == mark:
            return
        self._known[file.relative_path] = KnownFile(
            file.relative_path, mark, is_ignored=True, has_error=error is not None
        )
        self._listed[file.relative_path] = ParsedFile(
            relative_path=file.relative_path,
            path=str(file.path),
            content_hash=mark,
            parsed_at=self._clock.now(),
            duration_s=0.0,
            error=error,
            no_dag_reason=reason,
        )

    def _look_for_missing(self, unreadable: list[str]) -> bool:
        """Count scans without a known file; True where one is missing but not yet given up."""
        has_missing = False
        for relative_path, known in list(self._known.items()):
            if relative_path in self._found or is_below(relative_path, unreadable):
                continue
            if relative_path.startswith(PLUGINS):
                continue
            known.missing_scans += 1
            self._queue.pop(relative_path, None)
            if known.missing_scans < 2:
                has_missing = True
                continue
            self._guard(f"forget {relative_path}", partial(self._forget, relative_path))
        return has_missing

    def _forget(self, relative_path: str) -> None:
        self._store.files.forget(relative_path, self._clock.now())
        self._known.pop(relative_path, None)
        self._stamps.pop(relative_path, None)
        self._listed.pop(relative_path, None)
        log.info("%s is gone; its DAGs are inactive, their history stays", relative_path)
        for known in self._known.values():
            if known.may_be_mended_elsewhere:  # a DAG that both files declared is free now
                self._queue.setdefault(known.relative_path, f"broken, and {relative_path} is gone")

    # -- parsing --------------------------------------------------------------------------------

    def _start_children(self) -> None:
        running = self._children.running()
        check = self._plugins.request(self._settings)
        if check is not None and not self._quarantine.is_held(check.relative_path):
            self._children.fork(check)
            running.append(check.relative_path)
        for relative_path in list(self._queue):
            if len(running) >= self._settings.parallel:
                return
            file = self._found.get(relative_path)
            if file is None:
                del self._queue[relative_path]
                continue
            if relative_path in running or self._quarantine.is_held(relative_path):
                continue
            if running and any(map(self._children.is_suspect, [relative_path, *running])):
                continue
            reason = self._queue.pop(relative_path)
            log.debug("parsing %s: %s", relative_path, reason)
            self._stamps[relative_path] = file.stamp
            self._children.fork(self._request(file))
            running.append(relative_path)

    def _request(self, file: FoundFile) -> ParseRequest:
        settings = self._settings
        return ParseRequest(
            path=str(file.path),
            relative_path=file.relative_path,
            import_folders=list(settings.import_folders),
            import_timeout_s=settings.import_timeout_s,
            shows_tracebacks=settings.shows_tracebacks,
            traceback_depth=settings.traceback_depth,
        )

    def _take(self, finished: FinishedParse) -> None:
        request = finished.request
        self._keep_output(finished)
        if finished.is_ours:
            held_s = self._quarantine.hold(request.relative_path)
            log.warning(
                "%s was not parsed, again in %.1f s: %s",
                request.relative_path,
                held_s,
                finished.failure,
            )
            if request.checks_plugins:
                self._plugins.check_again()
            elif not request.next_runs:
                self._queue.setdefault(request.relative_path, "its child was lost")
        elif request.checks_plugins:
            self._take_plugins(finished)
        elif request.next_runs:
            self._take_next_runs(finished)
        else:
            self._quarantine.release(request.relative_path)
            self._take_parsed(finished)

    def _take_parsed(self, finished: FinishedParse) -> None:
        relative_path = finished.request.relative_path
        answer = finished.answer or ParseAnswer(error=finished.failure)
        before = self._known.get(relative_path)
        if not answer.content_hash:
            answer.content_hash = self._hash_now(relative_path)
        known = KnownFile(
            relative_path,
            answer.content_hash,
            inputs=answer.inputs if finished.answer else (before.inputs if before else Inputs()),
            has_error=bool(answer.error),
            may_be_mended_elsewhere=is_import_error(answer.error),
            parsed_s=self._clock.monotonic(),
        )
        if known.has_error and before is not None and before.content_hash == known.content_hash:
            known.failures = min(before.failures + 1, 20)
        self._known[relative_path] = known
        line = _telling_line(answer.error)
        if answer.error and self._reported.get(relative_path) != line:
            log.warning("%s: %s", relative_path, line)
        self._reported[relative_path] = line
        if answer.error:
            is_new = before is None or not before.has_error
            self._tell_error(finished.request.path, answer.error, is_new)
        self._unsaved.add(_parsed_file(finished, answer, self._clock.now()))

    def _take_plugins(self, finished: FinishedParse) -> None:
        """Keep each plugin that cannot be loaded as an import error of its own."""
        errors = self._plugins.take(finished)
        for relative_path in self._plugins.mended(self._known, errors):
            self._guard(f"forget {relative_path}", partial(self._forget, relative_path))
        for relative_path, error in errors.items():
            file = FoundFile(self._plugins.path_of(relative_path), relative_path, (0, 0, 0))
            self._list(file, error=error)
            if self._reported.get(relative_path) != error:
                self._reported[relative_path] = error
                log.warning("%s: %s", relative_path, error)

    def _hash_now(self, relative_path: str) -> str:
        file = self._found.get(relative_path)
        try:
            return "" if file is None else self._cache.content(file).content_hash
        except OSError:
            return ""

    def _save_pending(self) -> None:
        """Store what children answered; through an outage of the database it is kept here."""
        if self._quarantine.is_held("store"):
            return
        are_more_coming = bool(self._queue or self._children.running())
        while files := self._unsaved.due(are_more_coming=are_more_coming):
            if not self._guard("store", partial(self._save, files)):
                self._unsaved.failed()
                return
            self._unsaved.saved(len(files))
        for relative_path in list(self._listed)[:LISTED_PER_PASS]:
            if not self._guard("store", partial(self._save, [self._listed[relative_path]])):
                return
            del self._listed[relative_path]

    def _save(self, files: list[ParsedFile]) -> None:
        for parsed, saved in zip(
            files, self._store.files.save_all(files, self._clock.now()), strict=True
        ):
            known = self._known.get(parsed.relative_path)
            if saved.problems and known is not None:
                known.has_error = known.may_be_mended_elsewhere = True
                log.warning("%s: %s", parsed.relative_path, " ".join(saved.problems))

    # -- Variables and Connections that were read at import ---------------------------------------

    def _queue_changed_values(self) -> None:
        for relative_path in self._store.files.outdated():  # its DAG was deleted by a person
            self._queue.setdefault(relative_path, "asked for")
        variables: dict[str, str] = {}
        connections: dict[str, str] = {}
        for relative_path, known in self._known.items():
            if not (known.inputs.variables or known.inputs.connections):
                continue
            for key in known.inputs.variables.keys() - variables.keys():
                row = self._store.variables.get(key)
                variables[key] = fingerprint_value(key, None if row is None else row.value)
            for conn_id in known.inputs.connections.keys() - connections.keys():
                fields = self._store.connections.get(conn_id)
                connections[conn_id] = fingerprint_connection(conn_id, fields)
            if differs(known.inputs.variables, variables) or differs(
                known.inputs.connections, connections
            ):
                self._queue.setdefault(relative_path, "a variable or connection changed")

    # -- custom timetables ------------------------------------------------------------------------

    def _plan_custom_timetables(self) -> None:
        """Ask a child for the next run of each DAG whose timetable is a user's own class."""
        running = self._children.running()
        for due in self._store.dags.unplanned():
            if len(running) >= self._settings.parallel:
                return
            file = self._found.get(due.relative_fileloc)
            key = f"next run of {due.dag_id}"
            if not due.is_custom_timetable or file is None or due.relative_fileloc in running:
                continue
            if self._quarantine.is_held(key):
                continue
            request = self._request(file)
            request.next_runs = [_next_run_request(due, self._clock.now())]
            self._children.fork(request)
            running.append(due.relative_fileloc)

    def _take_next_runs(self, finished: FinishedParse) -> None:
        (asked,) = finished.request.next_runs
        key = f"next run of {asked.dag_id}"
        answers = finished.answer.next_runs if finished.answer else []
        error = finished.failure or (finished.answer.error if finished.answer else "")
        error = error or (answers[0].error if answers else "the child gave no answer")
        if error:
            held_s = self._quarantine.hold(key)
            log.error("timetable of %s, again in %.0f s: %s", asked.dag_id, held_s, error)
            return
        run = planned_run(answers[0])
        set_next_run = partial(self._store.dags.set_next_run, asked.dag_id, run, self._clock.now())
        if self._guard(key, set_next_run):
            self._ring("scheduler")

    # ---------------------------------------------------------------------------------------------

    def _guard(self, key: str, act: Callable[[], object]) -> bool:
        """Do something that may fail for a while; on failure it rests, and the loop goes on."""
        if self._quarantine.is_held(key):
            return False
        try:
            act()
        except Exception:  # noqa: BLE001 - log_failure tells
            held_s = self._quarantine.hold(key)
            log_failure(log, "parse manager: %s failed, again in %.1f s", key, held_s)
            return False
        self._quarantine.release(key)
        return True

    def _wait_s(self, timeout_s: float) -> float:
        if self._listed or self._unsaved or self._queue:
            timeout_s = min(timeout_s, PENDING_INTERVAL_S)
        return max(0.0, min(timeout_s, self._next_scan_s - self._clock.monotonic()))


def _telling_line(error: str) -> str:
    """Return the line that says what is wrong: our own words come first, Python's last."""
    lines = error.strip().splitlines() or [""]
    is_pythons = lines[0].startswith(("Traceback", "  File", "File "))
    return lines[-1] if is_pythons else lines[0]


def _parsed_file(finished: FinishedParse, answer: ParseAnswer, now: datetime) -> ParsedFile:
    return ParsedFile(
        relative_path=finished.request.relative_path,
        path=finished.request.path,
        content_hash=answer.content_hash,
        parsed_at=now,
        duration_s=finished.duration_s,
        dags=[ParsedDag(dag.dag_id, dag.serialized, dag.watchers) for dag in answer.dags],
        error=answer.error or None,
        no_dag_reason=answer.no_dag_reason or None,
        source=answer.source,
        warnings=answer.warnings,
        inputs=msgspec.to_builtins(answer.inputs),
    )


def _next_run_request(due: DueDag, now: datetime) -> NextRunRequest:
    return NextRunRequest(due.dag_id, due.last_interval_start, due.last_interval_end, now)
