"""Trigger rules as a table: what the ends of a task's upstream say about the task.

The first clause of a rule that holds decides; none holds: the task waits. Adding a rule adds a
row. Failure stands before skip everywhere, so that one answer follows from one set of counts,
whichever upstream happened to finish first.

Source: Airflow's documentation of trigger rules; ``spec/semantics.md`` section 5.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from typing import NamedTuple


class TriggerRule(StrEnum):
    """When a task runs, told by how its direct upstream ended."""

    ALL_SUCCESS = "all_success"
    ALL_FAILED = "all_failed"
    ALL_DONE = "all_done"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    NONE_SKIPPED = "none_skipped"
    ALWAYS = "always"
    ALL_SKIPPED = "all_skipped"

    @classmethod
    def is_valid(cls, trigger_rule: str) -> bool:
        """Tell whether *trigger_rule* is the name of a rule (legacy names are not)."""
        return trigger_rule in cls._value2member_map_

    @classmethod
    def all_triggers(cls) -> set[TriggerRule]:
        """Return every rule."""
        return set(cls)


#: Names of Airflow 2 that still stand in files, and what they mean.
LEGACY_NAMES: Mapping[str, TriggerRule] = {
    "dummy": TriggerRule.ALWAYS,
    "none_failed_or_skipped": TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
}


def resolve_trigger_rule(name: str, *, is_legacy_allowed: bool = True) -> TriggerRule:
    """Return the rule called *name*.

    Args:
        is_legacy_allowed: also take the two names of Airflow 2 (dialect 2).

    Raises:
        ValueError: there is no such rule. The text names all rules.
    """
    text = str(name).lower()
    if is_legacy_allowed and text in LEGACY_NAMES:
        return LEGACY_NAMES[text]
    if not TriggerRule.is_valid(text):
        known = ", ".join(sorted(TriggerRule))
        raise ValueError(f"There is no trigger rule {name!r}. Use one of: {known}")
    return TriggerRule(text)


class Verdict(Enum):
    """What a rule says about one task instance."""

    WAIT = "wait"
    RUN = "run"
    SKIP = "skip"
    UPSTREAM_FAILED = "upstream_failed"
    REMOVE = "remove"


class Upstream(NamedTuple):
    """How many upstream task instances count for one task instance, and how they ended.

    ``total`` counts all of them, finished or not. The three ``setup_`` counts are those of the
    setups among them; ``scope_unfinished`` counts what still runs between a teardown's setups
    and the teardown. ``map_index`` is the judged instance's own (-1: not mapped).
    """

    total: int
    success: int = 0
    skipped: int = 0
    failed: int = 0
    upstream_failed: int = 0
    removed: int = 0
    setup_total: int = 0
    setup_success: int = 0
    setup_skipped: int = 0
    scope_unfinished: int = 0
    map_index: int = -1

    @property
    def done(self) -> int:
        """How many of them are finished."""
        return self.success + self.skipped + self.failed + self.upstream_failed + self.removed

    @property
    def bad(self) -> int:
        """How many failed, themselves or through their own upstream."""
        return self.failed + self.upstream_failed

    @property
    def is_done(self) -> bool:
        """Whether all of them are finished."""
        return self.done >= self.total


Clause = tuple[Callable[[Upstream], bool], Verdict]

_RUN, _SKIP = Verdict.RUN, Verdict.SKIP
_FAIL, _REMOVE = Verdict.UPSTREAM_FAILED, Verdict.REMOVE
_R = TriggerRule

CLAUSES: Mapping[TriggerRule, tuple[Clause, ...]] = {
    _R.ALL_SUCCESS: (
        (lambda up: up.bad > 0, _FAIL),
        (lambda up: up.skipped > 0, _SKIP),
        # Its mapped upstream has become shorter: there is nothing left for this index.
        (lambda up: up.removed > 0 and 0 < up.success <= up.map_index, _REMOVE),
        (lambda up: up.success + up.removed >= up.total, _RUN),
    ),
    _R.ALL_FAILED: (
        (lambda up: up.success + up.skipped > 0, _SKIP),
        (lambda up: up.bad + up.removed >= up.total, _RUN),
    ),
    _R.ALL_DONE: ((lambda up: up.is_done, _RUN),),
    _R.ALL_DONE_MIN_ONE_SUCCESS: (
        (lambda up: up.skipped > 0, _SKIP),
        (lambda up: up.is_done and up.success == 0, _FAIL),
        (lambda up: up.is_done, _RUN),
    ),
    _R.ALL_DONE_SETUP_SUCCESS: (
        (lambda up: not up.is_done, Verdict.WAIT),
        (lambda up: 0 < up.setup_total == up.setup_skipped, _SKIP),
        (lambda up: up.setup_total > 0 and up.setup_success == 0, _FAIL),
        (lambda up: up.scope_unfinished == 0, _RUN),
    ),
    _R.ONE_SUCCESS: (
        (lambda up: up.success > 0, _RUN),
        (lambda up: up.skipped >= up.total, _SKIP),
        (lambda up: up.is_done, _FAIL),
    ),
    _R.ONE_FAILED: (
        (lambda up: up.bad > 0, _RUN),
        (lambda up: up.is_done, _SKIP),
    ),
    _R.ONE_DONE: (
        (lambda up: up.success + up.failed > 0, _RUN),
        (lambda up: up.is_done, _SKIP),
    ),
    _R.NONE_FAILED: (
        (lambda up: up.bad > 0, _FAIL),
        (lambda up: up.is_done, _RUN),
    ),
    _R.NONE_FAILED_MIN_ONE_SUCCESS: (
        (lambda up: up.bad > 0, _FAIL),
        (lambda up: up.skipped >= up.total, _SKIP),
        (lambda up: up.is_done and up.success == 0, _FAIL),
        (lambda up: up.is_done, _RUN),
    ),
    _R.NONE_SKIPPED: (
        (lambda up: up.skipped > 0, _SKIP),
        (lambda up: up.is_done, _RUN),
    ),
    _R.ALWAYS: ((lambda up: True, _RUN),),
    _R.ALL_SKIPPED: (
        (lambda up: up.success + up.bad > 0, _SKIP),
        # Removed ones count as gone: Airflow would wait for them until the run deadlocks.
        (lambda up: up.skipped + up.removed >= up.total, _RUN),
    ),
}

#: Rules that one upstream instance can satisfy, or that need at least one success: asked over
#: nothing they would answer wrongly, so a not yet expanded instance counts its whole upstream.
NEEDS_ONE: frozenset[TriggerRule] = frozenset(
    {
        _R.ONE_SUCCESS,
        _R.ONE_FAILED,
        _R.ONE_DONE,
        _R.NONE_FAILED_MIN_ONE_SUCCESS,
        _R.ALL_DONE_MIN_ONE_SUCCESS,
    }
)


def judge(rule: TriggerRule, upstream: Upstream) -> Verdict:
    """Return what *rule* says over these counts. Nothing upstream: the task runs at once."""
    if upstream.total == 0:
        return Verdict.RUN
    for holds, verdict in CLAUSES[rule]:
        if holds(upstream):
            return verdict
    return Verdict.WAIT
