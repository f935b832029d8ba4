"""What must hold after a round of chaos, by the database, the witness and the logs.

SQL here is plain text that SQLite and PostgreSQL both understand. Each check returns the lines
that say what is broken; the numbers are those of the reliability card, section 7.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from chaos_witness import CALLBACK, END, START, Mark
from sqlalchemy import create_engine
from tradewind.database.engine import parse_url
from tradewind.sdk.log_paths import task_log_path
from tradewind.sdk.states import (
    ALLOWED,
    FINISHED,
    TaskInstanceState,
)

_FINISHED = {state.value for state in FINISHED}
_LIVE = ("claimed", "running")
#: The layout of the logs here has no dates.
ANY_DATE = datetime(2026, 1, 1, tzinfo=UTC)
#: What processes may write to their logs although it looks bad: the story of an injected fault.
_EXPECTED = ("the database is away", "disk is full", "as written in its script")

_INSTANCES = """
    SELECT t.id, r.dag_id, r.run_id, t.task_id, t.map_index, t.state, t.epoch, t.claim_id,
           t.try_number, t.tries_max, r.id AS dag_run_id, r.state AS run_state, t.state_reason
    FROM task_instance t JOIN dag_run r ON r.id = t.dag_run_id
"""
_ATTEMPTS = """
    SELECT id, task_instance_id, epoch, claim_id, try_number, state, worker_id, claimed_at,
           started_at, ended_at, reason, log_path
    FROM attempt ORDER BY task_instance_id, epoch
"""


class Evidence:
    """Everything that the checks look at, read once."""

    def __init__(self, database_url: str, marks: Sequence[Mark]) -> None:
        """Read the whole database. *marks*: of the witness file."""
        self.marks = marks
        self.by_instance: dict[tuple[str, str, str, int], list[Mark]] = defaultdict(list)
        for mark in marks:
            self.by_instance[mark.instance].append(mark)
        self.engine = create_engine(parse_url(database_url))
        with self.engine.connect() as connection:
            self.is_sqlite = connection.dialect.name == "sqlite"
            read = lambda text: connection.exec_driver_sql(text).mappings().all()  # noqa: E731
            self.instances = {row["id"]: row for row in read(_INSTANCES)}
            self.attempts: dict[int, list[Any]] = defaultdict(list)
            for row in read(_ATTEMPTS):
                self.attempts[row["task_instance_id"]].append(row)
            self.runs = read("SELECT id, dag_id, run_id, state, logical_date FROM dag_run")
            self.workers = read("SELECT id, state, reason FROM worker")
            self.outbox = read("SELECT id, kind, state, tries, error, payload FROM outbox")
            self.events = read("SELECT id, kind, actor, detail FROM event ORDER BY id")
            self.orphans = [
                (table, row)
                for table, text in _ORPHANS.items()
                for row in connection.exec_driver_sql(text).all()
            ]
            if self.is_sqlite:
                self.file_check = [
                    *connection.exec_driver_sql("PRAGMA integrity_check").scalars(),
                    *(str(row) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")),
                ]
            else:
                self.file_check = ["ok"]
        self.engine.dispose()

    def marks_of(self, row: Any, kind: str) -> list[Mark]:
        """Return the marks of a task instance's row."""
        key = (row["dag_id"], row["run_id"], row["task_id"], row["map_index"])
        return [mark for mark in self.by_instance[key] if mark.kind == kind]


_ORPHANS = {
    "attempt": "SELECT a.id FROM attempt a LEFT JOIN task_instance t"
    " ON t.id = a.task_instance_id WHERE t.id IS NULL",
    "task_instance": "SELECT t.id FROM task_instance t LEFT JOIN dag_run r"
    " ON r.id = t.dag_run_id WHERE r.id IS NULL",
    "xcom": "SELECT x.task_id FROM xcom x LEFT JOIN dag_run r"
    " ON r.id = x.dag_run_id WHERE r.id IS NULL",
    "dag_run": "SELECT r.id FROM dag_run r LEFT JOIN dag_version v"
    " ON v.id = r.version_id WHERE v.id IS NULL",
}


def find_violations(
    database_url: str,
    marks: Sequence[Mark],
    *,
    edges: Iterable[tuple[str, str]] = (),
    log_folder: Path | None = None,
) -> list[str]:
    """Return what is broken in a system that has come to rest; nothing is as it should be.

    Args:
        edges: pairs of task ids (upstream, downstream) of the witness DAG.
        log_folder: where the logs of tries are; None: they are not on this machine.
    """
    evidence = Evidence(database_url, marks)
    found = [
        *check_rest(evidence),
        *check_attempts(evidence),
        *check_history(evidence),
        *check_runs(evidence),
        *check_starts(evidence),
        *check_ends(evidence),
        *check_order(evidence, list(edges)),
        *check_callbacks(evidence),
    ]
    if log_folder is not None:
        found += check_logs(evidence, log_folder)
    return found


def check_rest(evidence: Evidence) -> list[str]:
    """I-1, I-14, I-16: nothing moves, nothing waits, nothing is held by the dead."""
    found = [
        f"I-16: {row['dag_id']} {row['run_id']} {row['task_id']} is {row['state']}"
        f" ({row['state_reason']})"
        for row in evidence.instances.values()
        if row["state"] not in _FINISHED
    ]
    found += [
        f"I-16: run {row['run_id']} of {row['dag_id']} is {row['state']}"
        for row in evidence.runs
        if row["state"] not in ("success", "failed")
    ]
    dead = {row["id"] for row in evidence.workers if row["state"] != "alive"}
    for attempts in evidence.attempts.values():
        for row in attempts:
            if row["state"] in _LIVE:
                whose = "of a dead worker " if row["worker_id"] in dead else ""
                found.append(f"I-14/I-16: attempt {row['id']} {whose}is still {row['state']}")
    found += [
        f"I-16: outbox row {row['id']} ({row['kind']}) waits"
        for row in evidence.outbox
        if row["state"] not in ("done", "parked")
    ]
    return found


def check_attempts(evidence: Evidence) -> list[str]:
    """I-3, I-4: epochs grow, and history agrees with the task instance."""
    found = []
    for id_, attempts in evidence.attempts.items():
        row = evidence.instances.get(id_)
        if row is None:
            continue
        epochs = [one["epoch"] for one in attempts]
        if len(set(epochs)) != len(epochs) or epochs[-1] > row["epoch"]:
            found.append(f"I-3: attempts of {id_} have epochs {epochs}, it has {row['epoch']}")
        claimed = [str(one["claimed_at"]) for one in attempts]
        if claimed != sorted(claimed):
            found.append(f"I-3: attempts of {id_} were claimed in another order: {claimed}")
        won = [one for one in attempts if one["state"] == "success"]
        if row["state"] == "success" and len(won) != 1:
            found.append(f"I-4: {id_} is a success with {len(won)} successful attempts")
    return found


def check_history(evidence: Evidence) -> list[str]:
    """I-2, I-5, I-19, I-33: every change is allowed, follows the one before, and ends here."""
    found = [f"I-33: {line}" for line in evidence.file_check if line != "ok"]
    found += [
        f"I-19: a row of {table} belongs to nothing: {row}" for table, row in evidence.orphans
    ]
    last: dict[int, str] = {}
    for event in evidence.events:
        detail = event["detail"]
        detail = json.loads(detail) if isinstance(detail, str) else detail
        for id_, task_id, _map_index, old, new, _epoch, _reason in detail.get("changes", ()):
            name = f"{task_id} ({id_}) from {old} to {new}"
            if id_ in last and last[id_] != old:
                found.append(f"I-2: event {event['id']} moves {name}, but it was {last[id_]}")
            last[id_] = new
            if event["actor"].startswith("user:"):
                continue
            if old != new and TaskInstanceState(new) not in ALLOWED[TaskInstanceState(old)]:
                found.append(f"I-2/I-5: {event['actor']} moved {name}")
    for id_, state in last.items():
        row = evidence.instances.get(id_)
        if row is not None and row["state"] != state:
            found.append(f"I-2: {id_} is {row['state']}, its last event says {state}")
    return found


def check_runs(evidence: Evidence) -> list[str]:
    """I-17, I-20: the run's end follows from its tasks; no slot has two runs."""
    found = []
    slots = [(r["dag_id"], str(r["logical_date"])) for r in evidence.runs if r["logical_date"]]
    found += [f"I-20: two runs of {slot}" for slot in {s for s in slots if slots.count(s) > 1}]
    states: dict[int, dict[str, str]] = defaultdict(dict)
    for row in evidence.instances.values():
        states[row["dag_run_id"]][row["task_id"]] = row["state"]
    for run in evidence.runs:
        leaf = states[run["id"]].get("last")
        wanted = {"success": "success", "failed": "failed", "upstream_failed": "failed"}
        if leaf is not None and wanted.get(leaf) not in (None, run["state"]):
            found.append(f"I-17: run {run['run_id']} is {run['state']}, its leaf is {leaf}")
    return found


def check_starts(evidence: Evidence) -> list[str]:
    """I-6, I-7, I-9, I-10: who entered user code held a claim, alone, and used one try."""
    found = []
    for row in evidence.instances.values():
        starts = evidence.marks_of(row, START)
        attempts = {one["epoch"]: one for one in evidence.attempts[row["id"]]}
        name = f"{row['run_id']} {row['task_id']}"
        for mark in starts:
            attempt = attempts.get(mark.epoch)
            if attempt is None:
                found.append(f"I-6: {name} began under epoch {mark.epoch}, which nobody claimed")
            elif _instant_s(attempt["claimed_at"]) > mark.wall_s + 0.01:
                found.append(f"I-6: {name} began before it was claimed (epoch {mark.epoch})")
        epochs = [mark.epoch for mark in starts]
        if len(set(epochs)) != len(epochs):
            found.append(f"I-7: {name} began twice under one epoch: {epochs}")
        if len(epochs) > row["tries_max"] + 1 or len(epochs) > row["try_number"]:
            found.append(
                f"I-9: {name} began {len(epochs)} times in {row['try_number']} tries"
                f" of {row['tries_max'] + 1}"
            )
        ends = {mark.epoch: mark.steady_s for mark in evidence.marks_of(row, END)}
        for earlier, later in pairwise(starts):
            if ends.get(earlier.epoch, 0.0) > later.steady_s:
                state = attempts[earlier.epoch]["state"] if earlier.epoch in attempts else "none"
                if state not in ("lost", "fenced"):
                    found.append(f"I-10: {name} ran twice at once (older attempt: {state})")
    return found


def check_ends(evidence: Evidence) -> list[str]:
    """I-8: a success has a process that ended well under the accepted epoch."""
    found = []
    for row in evidence.instances.values():
        if row["state"] != "success":
            continue
        accepted = [
            one["epoch"] for one in evidence.attempts[row["id"]] if one["state"] == "success"
        ]
        well = {mark.epoch for mark in evidence.marks_of(row, END) if mark.ok}
        if not set(accepted) <= well or not accepted:
            found.append(
                f"I-8: {row['run_id']} {row['task_id']} succeeded in epoch {accepted},"
                f" its processes in {sorted(well)}"
            )
    return found


def check_order(evidence: Evidence, edges: Sequence[tuple[str, str]]) -> list[str]:
    """I-11: nothing begins before the accepted end of what it waits for."""
    found = []
    rows = {(r["dag_run_id"], r["task_id"]): r for r in evidence.instances.values()}
    for (dag_run_id, task_id), row in rows.items():
        starts = evidence.marks_of(row, START)
        if not starts:
            continue
        for up in (above for above, below in edges if below == task_id):
            above = rows.get((dag_run_id, up))
            if above is None or above["state"] != "success":
                continue
            good = [m.steady_s for m in evidence.marks_of(above, END) if m.ok]
            if good and starts[0].steady_s < min(good):
                found.append(f"I-11: {row['run_id']}: {task_id} began before {up} had ended")
    return found


def check_callbacks(evidence: Evidence) -> list[str]:
    """I-24: whoever failed and has a failure callback had it called."""
    found = []
    for row in evidence.instances.values():
        has_failed = row["state"] == "failed" and row["task_id"].startswith("second_")
        if has_failed and not evidence.marks_of(row, CALLBACK):
            parked = [(one["id"], one["error"]) for one in evidence.outbox if one["error"]]
            found.append(
                f"I-24: {row['run_id']} {row['task_id']} failed ({row['state_reason']}),"
                f" nobody was called; outbox: {parked}"
            )
    return found


def check_logs(evidence: Evidence, log_folder: Path) -> list[str]:
    """I-25: every try that was claimed has a log that ends with a verdict."""
    found = []
    for id_, attempts in evidence.attempts.items():
        row = evidence.instances[id_]
        for number in sorted({one["try_number"] for one in attempts}):
            path = log_folder / task_log_path(
                row["dag_id"], row["run_id"], row["task_id"], row["map_index"], number, ANY_DATE
            )
            if not path.exists():
                found.append(f"I-25: no log {path.name} of {row['run_id']} {row['task_id']}")
                continue
            last = path.read_text(errors="replace").rstrip().rsplit("\n", 1)[-1]
            if not any(word in last for word in ("Task ended:", "Given back:")):
                states = [one["state"] for one in attempts if one["try_number"] == number]
                found.append(
                    f"I-25: the log of {row['run_id']} {row['task_id']} try {number}"
                    f" ({states}) ends with {last!r}"
                )
    return found


def check_service_logs(paths: Iterable[Path]) -> list[str]:
    """I-32: our own processes wrote no traceback, and nobody saw a locked database."""
    found = []
    for path in paths:
        lines = path.read_text(errors="replace").splitlines()
        for number, line in enumerate(lines):
            is_bad = line.startswith("Traceback") or "database is locked" in line
            around = "\n".join(lines[max(0, number - 3) : number + 30])
            if is_bad and not any(word in around for word in _EXPECTED):
                found.append(f"I-32: {path.name}: {around[:1500]}")
    return found


def _instant_s(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC).timestamp()


def witness_edges(width: int) -> list[tuple[str, str]]:
    """Return the edges of the witness DAG."""
    edges = [("gather", "last")]
    for number in range(width):
        edges += [
            ("begin", f"first_{number}"),
            (f"first_{number}", f"second_{number}"),
            (f"second_{number}", "gather"),
        ]
    return edges
