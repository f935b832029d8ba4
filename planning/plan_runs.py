"""Which runs a DAG gets, and when: scheduled ones, those that a person starts, and backfills.

Everything is decided from the serialized DAG, its timetable and ``now``; the clock is held still
while a timetable is asked. A user's own timetable is asked by the same functions, inside the
parser's child.

Source: ``spec/semantics.md`` sections 4.2 to 4.8 and 10.7.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..sdk import timezone
from ..sdk.errors import TradewindError
from ..sdk.exceptions import InvalidValueError
from ..sdk.serialized import SerializedDag
from ..sdk.states import RunType
from ..sdk.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from ..sdk.timetables.registry import is_custom
from .run_ids import generate_run_id

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run that is to be: instants are plain UTC. It may start at ``run_after``.

    ``logical_date`` and both ends of the data interval are None for a run without them.
    """

    run_id: str
    run_type: RunType
    run_after: datetime
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None

    @property
    def data_interval(self) -> DataInterval | None:
        """What the run covers: to be passed as ``last`` when the run after it is planned."""
        if self.data_interval_start is None or self.data_interval_end is None:
            return None
        return DataInterval(self.data_interval_start, self.data_interval_end)


class BackfillRefused(TradewindError):
    """The backfill that was asked for makes no sense for this DAG or these dates."""


def restriction_of(dag: SerializedDag) -> TimeRestriction:
    """Return the first and last instant of runs that DAG and tasks allow, and its catchup."""
    starts = [at for at in (dag.start_at, *(task.start_at for task in dag.tasks)) if at is not None]
    latest = dag.end_at
    ends = [task.end_at for task in dag.tasks if task.end_at is not None]
    if dag.tasks and len(ends) == len(dag.tasks):
        latest = max([*ends, *([dag.end_at] if dag.end_at is not None else [])])
    return TimeRestriction(min(starts) if starts else None, latest, dag.catchup)


def plan_next_run(
    dag: SerializedDag,
    timetable: Timetable,
    last: DataInterval | None,
    now: datetime,
    *,
    is_implied_catchup_limited: bool = False,
    is_failure_raised: bool = False,
) -> PlannedRun | None:
    """Return the scheduled run that follows, due or yet to come; None where there is none.

    Args:
        last: what the newest scheduled or backfilled run covers, None before the first. Runs
            that people start do not move the schedule.
        is_implied_catchup_limited: the DAG was un-paused from the beginning: where nobody
            wrote ``catchup=True`` the first run is the newest one, not the oldest.
        is_failure_raised: what the timetable raises is raised. Else a timetable that fails is
            logged and has no next run.
    """
    if not timetable.can_be_scheduled:
        return None
    restriction = restriction_of(dag)
    if last is None and is_implied_catchup_limited and dag.is_catchup_implied:
        restriction = restriction._replace(catchup=False)
    try:
        info = _ask(timetable, last, restriction, now)
        return None if info is None else _planned(dag, timetable, info, RunType.SCHEDULED)
    except Exception:
        if is_failure_raised:
            raise
        log.warning("timetable failed", extra={"dag_id": dag.dag_id}, exc_info=True)
        return None


def plan_runs(
    dag: SerializedDag, timetable: Timetable, last: DataInterval | None, now: datetime
) -> Iterator[PlannedRun]:
    """Yield the scheduled runs one after the other, beyond *now* too: to preview and to count.

    The clock stands still at *now*, so without catchup only the newest due run comes first.
    """
    while (run := plan_next_run(dag, timetable, last, now)) is not None:
        yield run
        following = run.data_interval
        if following is None or following == last:  # a timetable that does not move on
            return
        last = following


def count_due_runs(
    dag: SerializedDag,
    timetable: Timetable,
    last: DataInterval | None,
    now: datetime,
    *,
    count_max: int = 1000,
) -> int:
    """Return how many runs would be made at once if the DAG were un-paused *now*.

    It counts up to *count_max*: a minutely DAG of many years is not walked through.
    """
    count = 0
    for run in plan_runs(dag, timetable, last, now):
        if run.run_after > now or count >= count_max:
            break
        count += 1
    return count


def manual_run(
    dag: SerializedDag,
    timetable: Timetable | None,
    now: datetime,
    *,
    logical_date: datetime | None = None,
    run_after: datetime | None = None,
    data_interval: DataInterval | None = None,
    run_id: str | None = None,
    run_type: RunType = RunType.MANUAL,
    is_date_awaited: bool = False,
) -> PlannedRun:
    """Return the run that a person, or another DAG, starts.

    Args:
        timetable: None for one that cannot be asked here (a user's class): the run then covers
            no length of time.
        logical_date: None: now, to the second, for dialect "2"; no logical date for "3".
        run_after: the earliest start; None: now.
        data_interval: None: what the timetable infers from the run time where one was given
            (dialect "3"), else from the logical date. No logical date, no interval.
        run_id: None: made from the instants. A given one is not checked here.
        is_date_awaited: a run of dialect "2" does not start before its logical date (4.6).

    Raises:
        InvalidValueError: the logical date lies before the start date in the DAG's default
            arguments; a ValueError, too.
    """
    named = None if logical_date is None else timezone.plain_utc(logical_date)
    if named is None and dag.dialect == "2":
        named = timezone.plain_utc(now).replace(microsecond=0)
    first = dag.default_args_start_at
    if named is not None and first is not None and named < first:
        raise InvalidValueError(
            f"the logical date {named.isoformat()} lies before the start date of the DAG's "
            f"default_args, {first.isoformat()}"
        )
    after = timezone.plain_utc(now if run_after is None else run_after)
    if is_date_awaited and dag.dialect == "2" and run_after is None and named is not None:
        after = max(after, named)
    interval = data_interval
    if interval is None and named is not None:
        basis = after if run_after is not None and dag.dialect == "3" else named
        interval = _infer(timetable, basis, now)
    return PlannedRun(
        run_id=run_id or generate_run_id(run_type, dag.dialect, named, after),
        run_type=run_type,
        run_after=after,
        logical_date=named,
        data_interval_start=None if interval is None else timezone.plain_utc(interval.start),
        data_interval_end=None if interval is None else timezone.plain_utc(interval.end),
    )


def check_run_type(dag: SerializedDag, run_type: RunType) -> None:
    """Refuse a run of a type that the DAG does not allow (``allowed_run_types``).

    Raises:
        InvalidValueError: the text names both.
    """
    if dag.allowed_run_types is not None and run_type.value not in dag.allowed_run_types:
        raise InvalidValueError(f"DAG {dag.dag_id!r} does not allow {run_type.value} runs")


#: More runs than this are no backfill but a mistake in a date.
BACKFILL_RUNS_MAX = 10_000


def plan_backfill(
    dag: SerializedDag,
    timetable: Timetable,
    from_at: datetime,
    to_at: datetime,
    now: datetime,
    *,
    is_backwards: bool = False,
    reprocess_behavior: str = "none",
) -> list[PlannedRun]:
    """Return the runs of a backfill in the order in which they are to start.

    Args:
        from_at: first logical date, included.
        to_at: last logical date, included. Intervals that have not ended yet are left out.
        is_backwards: newest first.
        reprocess_behavior: "none", "completed" or "failed": what becomes of runs that are there.

    Raises:
        BackfillRefused: it cannot be; the text says why.
    """
    first, last = timezone.plain_utc(from_at), timezone.plain_utc(to_at)
    _check_backfill(dag, timetable, first, last, now, is_backwards, reprocess_behavior)
    runs: list[PlannedRun] = []
    # Every slot counts, also for a DAG without catchup, and also before its start date.
    restriction = TimeRestriction(first, None, catchup=True)
    covered: DataInterval | None = None
    while (info := _ask(timetable, covered, restriction, now)) is not None:
        run = _planned(dag, timetable, info, RunType.BACKFILL)
        if run.logical_date is None or run.logical_date > last or run.data_interval is None:
            break
        if run.data_interval.end >= now or run.data_interval == covered:
            break
        covered = run.data_interval
        if run.logical_date >= first:  # the interval of a trigger timetable begins before its tick
            runs.append(run)
        if len(runs) > BACKFILL_RUNS_MAX:
            share = (covered.end - first) / (min(last, now) - first)
            raise BackfillRefused(
                f"DAG {dag.dag_id} cannot be backfilled at once: about {len(runs) / share:,.0f} "
                f"runs lie within these dates, and {BACKFILL_RUNS_MAX:,} are the most"
            )
    if not runs:
        raise BackfillRefused(f"no runs to create for DAG {dag.dag_id} within these dates")
    return runs[::-1] if is_backwards else runs


def _check_backfill(
    dag: SerializedDag,
    timetable: Timetable,
    first: datetime,
    last: datetime,
    now: datetime,
    is_backwards: bool,
    reprocess_behavior: str,
) -> None:
    has_past = any(task.depends_on_past for task in dag.tasks)
    allowed = dag.allowed_run_types
    reasons = (
        (first > last, "its first date lies after its last"),
        (first > now and last > now, "both dates lie in the future"),
        (not timetable.periodic, "its schedule has no regular runs"),
        (allowed is not None and RunType.BACKFILL not in allowed, "the DAG allows no backfill"),
        (has_past and is_backwards, "tasks with depends_on_past cannot run newest first"),
        (
            has_past and reprocess_behavior == "none",
            "tasks with depends_on_past need reprocess behavior 'completed' or 'failed'",
        ),
    )
    for is_wrong, reason in reasons:
        if is_wrong:
            raise BackfillRefused(f"DAG {dag.dag_id} cannot be backfilled: {reason}")


def _ask(
    timetable: Timetable, last: DataInterval | None, restriction: TimeRestriction, now: datetime
) -> DagRunInfo | None:
    """Ask the timetable with the clock held at *now*; a user's class gets pendulum instants."""
    with timezone.frozen(now):
        if not is_custom(timetable):
            return timetable.next_dagrun_info(
                last_automated_data_interval=last, restriction=restriction
            )
        shown = None if last is None else DataInterval(*map(timezone.coerce_datetime, last))
        bounds = TimeRestriction(
            timezone.coerce_datetime(restriction.earliest),
            timezone.coerce_datetime(restriction.latest),
            restriction.catchup,
        )
        if type(timetable).next_dagrun_info_v2 is not Timetable.next_dagrun_info_v2:
            before = None if shown is None else DagRunInfo.interval(*shown)
            return timetable.next_dagrun_info_v2(last_dagrun_info=before, restriction=bounds)
        return timetable.next_dagrun_info(last_automated_data_interval=shown, restriction=bounds)


def _infer(timetable: Timetable | None, run_after: datetime, now: datetime) -> DataInterval:
    if timetable is None:
        return DataInterval.exact(run_after)
    with timezone.frozen(now):
        shown = timezone.coerce_datetime(run_after) if is_custom(timetable) else run_after
        return timetable.infer_manual_data_interval(run_after=shown)


def _planned(
    dag: SerializedDag, timetable: Timetable, info: DagRunInfo, run_type: RunType
) -> PlannedRun:
    interval = info.data_interval
    logical_date = None if interval is None else timezone.plain_utc(interval.start)
    run_after = timezone.plain_utc(info.run_after)
    return PlannedRun(
        run_id=_run_id(dag, timetable, run_type, logical_date, run_after, interval),
        run_type=run_type,
        run_after=run_after,
        logical_date=logical_date,
        data_interval_start=logical_date,
        data_interval_end=None if interval is None else timezone.plain_utc(interval.end),
    )


def _run_id(
    dag: SerializedDag,
    timetable: Timetable,
    run_type: RunType,
    logical_date: datetime | None,
    run_after: datetime,
    data_interval: DataInterval | None,
) -> str:
    own = type(timetable).generate_run_id
    if own is Timetable.generate_run_id:
        return generate_run_id(run_type, dag.dialect, logical_date, run_after)
    offered: dict[str, Any] = {
        "run_type": run_type,
        "logical_date": timezone.coerce_datetime(logical_date),
        "run_after": timezone.coerce_datetime(run_after),
        "data_interval": data_interval,
    }
    # The generations name different keywords; a class written for one is not told the others.
    parameters = inspect.signature(own).parameters.values()
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        names = {parameter.name for parameter in parameters}
        offered = {name: value for name, value in offered.items() if name in names}
    return str(timetable.generate_run_id(**offered))
