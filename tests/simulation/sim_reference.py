"""A second opinion: how each task instance must end, by plain rules and nobody's state machine.

It shares no code with ``planning``. Given how the tasks above ended, and how the processes of its
own tries did (by the witness), it says which ends are possible. Two are, where the rule may be
settled by whichever upstream comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tradewind.sdk.serialized import SerializedTask

RUN, SKIP, UPSTREAM_FAILED = "run", "skipped", "upstream_failed"
BAD = ("failed", "upstream_failed")
#: So many deaths of its runner in a row, and a task is not tried again.
DEATHS_MAX = 3


def verdicts(rule: str, above: Sequence[str]) -> set[str]:
    """Return what may become of a task whose upstream tasks ended as *above*."""
    good, bad = above.count("success"), sum(state in BAD for state in above)
    skipped = above.count("skipped")
    if not above or rule == "all_done":
        return {RUN}
    if rule == "all_success":
        return ({UPSTREAM_FAILED} if bad else set()) | ({SKIP} if skipped else set()) or {RUN}
    if rule == "all_failed":
        return {RUN} if bad == len(above) else {SKIP}
    if rule == "one_failed":
        return {RUN} if bad else {SKIP}
    if rule == "one_success":
        return {RUN} if good else {UPSTREAM_FAILED} if bad else {SKIP}
    if rule == "none_failed":
        return {UPSTREAM_FAILED} if bad else {RUN}
    if rule == "none_skipped":
        return {SKIP} if skipped else {RUN}
    if rule == "none_failed_min_one_success":
        return {UPSTREAM_FAILED} if bad else {RUN} if good else {SKIP}
    raise ValueError(f"the reference does not know {rule}")


def end_of_tries(tries: Sequence[str], deaths_in_a_row: int, tries_max: int) -> str:
    """Return how a task ends whose tries ended as *tries*; "unfinished" while one is due.

    Args:
        tries: success, skipped, failed, killed or lost, first try first.
        deaths_in_a_row: of its runners, at the end.
    """
    for state in ("success", "skipped"):
        if tries and tries[-1] == state:
            return state
    if deaths_in_a_row >= DEATHS_MAX or len(tries) > tries_max:
        return "failed"
    return "unfinished"


def possible_ends(
    task: SerializedTask, states: Mapping[str, str], tries: Sequence[str], deaths: int, most: int
) -> set[str]:
    """Return all states in which a task instance may have ended.

    Args:
        states: of its run, by task id.
        tries, deaths, most: see ``end_of_tries``.
    """
    found = verdicts(task.trigger_rule, [states[id_] for id_ in task.upstream_task_ids])
    return {end_of_tries(tries, deaths, most) if one == RUN else one for one in found}


def slots(zone: str, minutes: int, start: datetime, end: datetime) -> list[datetime]:
    """Return the starts of all data intervals of ``*/minutes`` that end by *end*.

    Walks over every minute of real time and looks at the wall clock of the zone.
    """
    instant, ticks = start.astimezone(UTC).replace(second=0, microsecond=0), []
    while instant <= end:
        if instant >= start and instant.astimezone(ZoneInfo(zone)).minute % minutes == 0:
            ticks.append(instant)
        instant += timedelta(minutes=1)
    return ticks[:-1]
