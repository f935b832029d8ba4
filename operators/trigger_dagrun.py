"""``TriggerDagRunOperator``: start a run of another DAG (semantics section 7.7)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NoReturn

from ..sdk import task_runtime, timezone
from ..sdk.base_operator import BaseOperator
from ..sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    DagRunAlreadyExists,
    InvalidArgumentError,
    InvalidUseError,
    InvalidValueError,
)
from ..sdk.not_set import NOTSET, is_arg_set
from ..sdk.states import DagRunState
from .default_deferrable import is_deferrable_by_default

XCOM_LOGICAL_DATE_ISO = "trigger_logical_date_iso"
XCOM_RUN_ID = "trigger_run_id"


class TriggerDagRunOperator(BaseOperator):
    """Starts a run of another DAG, and may wait for its end.

    Args:
        trigger_run_id: id of the run; made up where None.
        conf: what the run is triggered with: JSON values, or their JSON text.
        logical_date: of the run (text or datetime). Not given: now; None: none (Airflow 3).
        run_after: earliest start of the run; with it, it has no logical date unless one is given.
        reset_dag_run: a run that exists already is cleared, and runs again.
        poke_interval: seconds between two looks at the run waited for.
        allowed_states, failed_states: states in which waiting ends well, or badly.
        skip_when_already_exists: end as skipped instead of failed.
        fail_when_dag_is_paused: fail when the other DAG is paused.
        deferrable: wait in the triggerer, without a slot.
    """

    template_fields: Sequence[str] = (
        "trigger_dag_id",
        "trigger_run_id",
        "logical_date",
        "conf",
        "wait_for_completion",
        "skip_when_already_exists",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"conf": "py"}
    ui_color = "#ffefeb"

    def __init__(
        self,
        *,
        trigger_dag_id: str,
        trigger_run_id: str | None = None,
        conf: Mapping[str, Any] | str | None = None,
        logical_date: str | datetime | None = NOTSET,  # type: ignore[assignment]
        execution_date: str | datetime | None = None,
        run_after: str | datetime | None = None,
        note: str | None = None,
        reset_dag_run: bool = False,
        wait_for_completion: bool = False,
        poke_interval: int = 60,
        allowed_states: Sequence[str] | None = None,
        failed_states: Sequence[str] | None = None,
        skip_when_already_exists: bool = False,
        fail_when_dag_is_paused: bool = False,
        deferrable: bool | None = None,
        openlineage_inject_parent_info: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if execution_date is not None and not is_arg_set(logical_date):
            logical_date = execution_date
        for name, instant in (("logical_date", logical_date), ("run_after", run_after)):
            if is_arg_set(instant) and not isinstance(instant, (str, datetime, type(None))):
                raise InvalidArgumentError(
                    f"{name} must be a text or a datetime, not {type(instant).__name__}"
                )
        self.trigger_dag_id = trigger_dag_id
        self.trigger_run_id = trigger_run_id
        self.conf = conf
        self.logical_date = logical_date
        self.run_after = run_after
        self.note = note
        self.reset_dag_run = reset_dag_run
        self.wait_for_completion = wait_for_completion
        self.poke_interval = poke_interval
        self.allowed_states = self._states(allowed_states or ("success",))
        self.failed_states = self._states(("failed",) if failed_states is None else failed_states)
        self.skip_when_already_exists = skip_when_already_exists
        self.fail_when_dag_is_paused = fail_when_dag_is_paused
        self.deferrable = is_deferrable_by_default() if deferrable is None else deferrable

    def _states(self, states: Sequence[str]) -> list[str]:
        known = [state.value for state in DagRunState]
        for state in states:
            if str(state) not in known:
                raise InvalidValueError(
                    f"{self._name}: {str(state)!r} is no state of a dag run; it can be one of "
                    f"{', '.join(known)}"
                )
        return [str(state) for state in states]

    def execute(self, context: Any) -> None:
        runtime = task_runtime.current
        if runtime is None:
            raise InvalidUseError("a DAG can be triggered while a task runs only")
        answer = runtime.trigger_dag_run(
            dag_id=self.trigger_dag_id,
            run_id=self.trigger_run_id or None,
            logical_date=self._chosen_logical_date(),
            run_after=_instant(self.run_after),
            conf=self._checked_conf(),
            reset=self.reset_dag_run,
            note=self.note,
            fail_when_paused=self.fail_when_dag_is_paused,
        )
        error = str(answer.get("error") or "")
        run_id = str(answer.get("run_id") or self.trigger_run_id or "")
        if error == "exists":
            self._end_because_it_exists(run_id)
        elif error:
            raise AirflowException(f"the DAG {self.trigger_dag_id!r} was not triggered: {error}")
        context["ti"].xcom_push(key=XCOM_RUN_ID, value=run_id)
        self.log.info("Triggered the run %s of the DAG %s", run_id, self.trigger_dag_id)
        if self.wait_for_completion and self.deferrable:
            self._defer(run_id)
        if self.wait_for_completion:
            self._wait(runtime, run_id)

    def _defer(self, run_id: str) -> NoReturn:
        from .triggers.external_task import DagStateTrigger

        self.defer(
            trigger=DagStateTrigger(
                dag_id=self.trigger_dag_id,
                states=[*self.allowed_states, *self.failed_states],
                run_ids=[run_id],
                poll_interval=self.poke_interval,
            ),
            method_name="execute_complete",
            kwargs={"run_id": run_id},
        )

    def execute_complete(self, context: Any, event: Any = None, run_id: str = "") -> None:
        """Go on once the run has ended."""
        runtime = task_runtime.current
        if runtime is None:
            raise InvalidUseError("a DAG can be waited for while a task runs only")
        self._wait(runtime, run_id)

    def _end_because_it_exists(self, run_id: str) -> None:
        if self.skip_when_already_exists:
            raise AirflowSkipException(
                f"the DAG {self.trigger_dag_id!r} already has the run {run_id!r}"
            )
        error = DagRunAlreadyExists(run_id, dag_id=self.trigger_dag_id)
        if self.dag is not None and self.dag.dialect == "2":
            raise error  # Airflow 2 tries again, 3 does not
        raise AirflowFailException(str(error))

    def _chosen_logical_date(self) -> datetime | None:
        if is_arg_set(self.logical_date) and self.logical_date is not None:
            return _instant(self.logical_date)
        if is_arg_set(self.logical_date) and not self._is_airflow_2():
            return None
        return None if self.run_after is not None else timezone.utcnow()

    def _is_airflow_2(self) -> bool:
        return self.dag is not None and self.dag.dialect == "2"

    def _checked_conf(self) -> dict[str, Any] | None:
        conf: Any = self.conf
        if not conf:
            return None
        try:
            if isinstance(conf, str):
                conf = json.loads(conf)
            json.dumps(conf)
        except (TypeError, ValueError) as error:
            raise InvalidValueError(f"conf must be JSON: {error}") from error
        if not isinstance(conf, Mapping):
            raise InvalidValueError(f"conf must be a mapping, not a {type(conf).__name__}")
        return dict(conf)

    def _wait(self, runtime: task_runtime.TaskRuntime, run_id: str) -> None:
        while True:
            fields = runtime.get_dag_run(dag_id=self.trigger_dag_id, run_id=run_id)
            if fields is None:
                raise AirflowException(f"the run {run_id!r} of {self.trigger_dag_id!r} is gone")
            state = str(fields.get("state"))
            if state in self.failed_states:
                raise AirflowException(
                    f"the run {run_id!r} of the DAG {self.trigger_dag_id!r} ended as {state}"
                )
            if state in self.allowed_states:
                self.log.info("The run %s ended as %s", run_id, state)
                return
            self.log.info(
                "Waiting for the run %s of the DAG %s: it is %s", run_id, self.trigger_dag_id, state
            )
            time.sleep(self.poke_interval)


def _instant(value: Any) -> datetime | None:
    if not value:
        return None
    if isinstance(value, str):
        value = timezone.parse(value)
    if timezone.is_naive(value):
        value = timezone.make_aware(value)
    return timezone.plain_utc(value)
