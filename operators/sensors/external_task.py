"""``ExternalTaskSensor`` and ``ExternalTaskMarker``: ties between DAGs (semantics section 6.3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from ...sdk import timezone
from ...sdk.base_sensor import BaseSensorOperator
from ...sdk.call_arguments import call_with_context
from ...sdk.exceptions import (
    AirflowException,
    AirflowSkipException,
    ExternalDagFailedError,
    ExternalTaskFailedError,
    ExternalTaskGroupFailedError,
    InvalidValueError,
)
from ...sdk.states import DagRunState, TaskInstanceState
from ..default_deferrable import is_deferrable_by_default
from ..empty import EmptyOperator
from ..external_states import ExternalStates

#: A task instance without a state is "none" here; a sensor cannot wait for it.
_TASK_STATES = frozenset(str(state) for state in TaskInstanceState if state != "none")
_RUN_STATES = frozenset(str(state) for state in DagRunState)
#: What the first argument of an ``execution_date_fn`` is called in the context.
_NAMES_OF_DATE = frozenset({"logical_date", "execution_date"})


class ExternalTaskSensor(BaseSensorOperator):
    """Waits for tasks, a task group or the runs of another DAG.

    Args:
        external_task_id, external_task_ids, external_task_group_id: at most one; without any
            the DAG's runs themselves are waited for.
        allowed_states: it ends well once all are in one of them (default: success).
        skipped_states, failed_states: it is skipped, or fails, once one is in one of them.
        execution_delta: how much earlier the other run's logical date is.
        execution_date_fn: returns its logical date, or several, from this run's.
        poll_interval: Airflow 2's name of ``poke_interval`` where it waits in the triggerer.
        deferrable: wait in the triggerer, without a slot.

    Raises:
        ValueError: more than one is named, an id twice, a state is unknown or in two lists, or
            both ways to find the date are given.
    """

    template_fields: Sequence[str] = (
        "external_dag_id",
        "external_task_id",
        "external_task_ids",
        "external_task_group_id",
    )
    ui_color = "#4db7db"

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str | None = None,
        external_task_ids: Collection[str] | None = None,
        external_task_group_id: str | None = None,
        allowed_states: Iterable[str] | None = None,
        skipped_states: Iterable[str] | None = None,
        failed_states: Iterable[str] | None = None,
        execution_delta: timedelta | None = None,
        execution_date_fn: Callable[..., Any] | None = None,
        check_existence: bool = False,
        poll_interval: float | None = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if poll_interval is not None:
            kwargs.setdefault("poke_interval", poll_interval)
        super().__init__(**kwargs)
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        self.external_task_ids = external_task_ids
        self.external_task_group_id = external_task_group_id
        self.allowed_states = _names(("success",) if allowed_states is None else allowed_states)
        self.skipped_states = _names(skipped_states or ())
        self.failed_states = _names(failed_states or ())
        self.execution_delta = execution_delta
        self.execution_date_fn = execution_date_fn
        self.check_existence = check_existence
        self.deferrable = is_deferrable_by_default() if deferrable is None else deferrable
        self._check_targets()
        self._check_states()

    def _check_targets(self) -> None:
        named = (self.external_task_id, self.external_task_ids, self.external_task_group_id)
        if sum(value is not None for value in named) > 1:
            raise InvalidValueError(
                f"{self._name}: give only one of external_task_id, external_task_ids and "
                "external_task_group_id"
            )
        if self.execution_delta is not None and self.execution_date_fn is not None:
            raise InvalidValueError(
                f"{self._name}: give only one of execution_delta and execution_date_fn"
            )

    def _check_states(self) -> None:
        lists = (self.allowed_states, self.skipped_states, self.failed_states)
        if len(set().union(*lists)) < sum(len({*states}) for states in lists):
            raise InvalidValueError(
                f"{self._name}: a state can stand in only one of allowed_states, skipped_states "
                "and failed_states"
            )
        is_of_tasks = any((self.external_task_id, self.external_task_ids))
        known = _TASK_STATES if is_of_tasks or self.external_task_group_id else _RUN_STATES
        unknown = sorted(set().union(*lists) - known)
        if unknown:
            raise InvalidValueError(
                f"{self._name}: {', '.join(unknown)} cannot be waited for; it can be one of "
                f"{', '.join(sorted(known))}"
            )

    # --- what is looked at -------------------------------------------------------------------

    def _task_ids(self) -> list[str] | None:
        if self.external_task_id is not None:
            return [self.external_task_id]
        if self.external_task_ids is None:
            return None
        ids = [*map(str, self.external_task_ids)]
        if len({*ids}) < len(ids):  # looked at when the sensor runs, as in Airflow
            raise InvalidValueError(f"{self._name}: an id stands twice in external_task_ids")
        return ids

    def _logical_dates(self, context: Any) -> list[datetime]:
        base = context.get("logical_date") or context["dag_run"].run_after
        if self.execution_delta is not None:
            return [timezone.plain_utc(base - self.execution_delta)]
        if self.execution_date_fn is None:
            return [timezone.plain_utc(base)]
        # The date comes first, whatever the function calls it; not once more by its name.
        others = context.copy()
        for name in _NAMES_OF_DATE & others.keys():
            del others[name]
        found = call_with_context(self.execution_date_fn, (base,), {}, others)
        several = found if isinstance(found, (list, tuple, set)) else [found]
        return [timezone.plain_utc(one) for one in several]

    def poke(self, context: Any) -> bool:
        dates = self._logical_dates(context)
        self.log.info(
            "Looking at %s of the DAG %s at %s",
            self.external_task_group_id or self._task_ids() or "the run",
            self.external_dag_id,
            ", ".join(date.isoformat() for date in dates),
        )
        states = ExternalStates(
            dag_id=self.external_dag_id,
            task_ids=self._task_ids(),
            task_group_id=self.external_task_group_id,
            logical_dates=dates,
        )
        verdict = states.judge(
            failed=self.failed_states, skipped=self.skipped_states, allowed=self.allowed_states
        )
        return self._end(verdict) if verdict is not None else False

    def _end(self, verdict: str) -> bool:
        """Return True, or raise what *verdict* means."""
        if verdict == "success":
            return True
        what = "the external task group or tasks" if self._is_about_tasks else "the external DAG"
        text = f"{what} of {self.external_dag_id!r} ended as {verdict}"
        if verdict == "skipped" or self.soft_fail:
            raise AirflowSkipException(text)
        if self._task_ids():
            raise ExternalTaskFailedError(text)
        raise (
            ExternalTaskGroupFailedError if self.external_task_group_id else ExternalDagFailedError
        )(text)

    @property
    def _is_about_tasks(self) -> bool:
        return bool(self._task_ids() or self.external_task_group_id)

    # --- in the triggerer --------------------------------------------------------------------

    def execute(self, context: Any) -> None:
        if not self.deferrable:
            super().execute(context)
            return
        from ..triggers.external_task import WorkflowTrigger

        self.defer(
            timeout=timedelta(seconds=self.timeout),
            trigger=WorkflowTrigger(
                external_dag_id=self.external_dag_id,
                external_task_ids=self._task_ids(),
                external_task_group_id=self.external_task_group_id,
                logical_dates=self._logical_dates(context),
                allowed_states=self.allowed_states,
                skipped_states=self.skipped_states,
                failed_states=self.failed_states,
                poke_interval=self.poke_interval,
                soft_fail=self.soft_fail,
            ),
            method_name="execute_complete",
        )

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Go on with what the trigger saw."""
        status = (event or {}).get("status")
        if status not in ("success", "failed", "skipped"):
            raise AirflowException(f"the trigger ended with {event!r}")
        self._end(status)


class ExternalTaskMarker(EmptyOperator):
    """Says that a task of another DAG depends on this one: to clear this one clears that one too.

    Args:
        execution_date, logical_date: of the other run; by default this run's.
        recursion_depth: over how many markers a clear goes on.

    Raises:
        ValueError: *recursion_depth* is not positive.
    """

    template_fields: Sequence[str] = ("external_dag_id", "external_task_id", "logical_date")
    ui_color = "#4db7db"

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str,
        logical_date: str | datetime | None = None,
        execution_date: str | datetime | None = None,
        recursion_depth: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        given = logical_date if logical_date is not None else execution_date
        if given is None:
            given = "{{ logical_date.isoformat() }}"
        self.logical_date = given.isoformat() if isinstance(given, datetime) else given
        if recursion_depth <= 0:
            raise InvalidValueError(f"{self._name}: recursion_depth must be positive")
        self.recursion_depth = recursion_depth

    @property
    def external_marker(self) -> dict[str, Any]:
        """What is cleared with this task, as the serialized DAG keeps it."""
        return {
            "dag_id": self.external_dag_id,
            "task_id": self.external_task_id,
            "logical_date": self.logical_date,
            "depth": self.recursion_depth,
        }


def _names(states: Iterable[str]) -> list[str]:
    return [str(state) for state in states]
