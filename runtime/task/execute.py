"""Everything that happens around a task's ``execute()`` in the process that runs it.

Called in a forked task process, and in the process of ``dag.test()``. Nothing that a task does
leaves here as an exception, but Ctrl-C.

Source: ``spec/semantics.md`` sections 2.3, 2.6, 3.5, 3.8, 5.5, 5.6 and 5.10.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import logging
from collections import ChainMap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...sdk import xcom, xcom_serialization
from ...sdk.asset import Asset
from ...sdk.base_operator import BaseOperator
from ...sdk.call_arguments import run_generator
from ...sdk.configuration import conf
from ...sdk.context import Context, set_current_context
from ...sdk.dag_run import to_pendulum
from ...sdk.exceptions import (
    AirflowInactiveAssetInInletOrOutletException,
    AirflowTaskTerminated,
    DagRunTriggerException,
    TaskAwaitingInput,
)
from ...sdk.operator_construction import RUNS_ITS_TASK
from ...sdk.param import ParamsDict
from ...sdk.secrets_masker import mask
from ...sdk.states import TaskInstanceState
from ...sdk.task_context import build_context
from ...sdk.timezone import utcnow
from ...sdk.xcom_arg import XCOM_RETURN_KEY
from . import await_input, listening, outcome, trigger_request
from .ask_retry_policy import apply_retry_policy
from .callbacks import run_callbacks
from .forked_copies import copies_end_here
from .make_task_instance import make_task_instance
from .outcome import Ending
from .rendered_fields import fields_to_show
from .returned_values import asset_events_of, check_mappable, outputs_of
from .surroundings import export_context, task_surroundings
from .task_spec import EncodedXCom, TaskInstanceSpec, TaskResult
from .time_limit import time_limit

if TYPE_CHECKING:
    from ...sdk.dag import DAG
    from ...sdk.task_runtime import TaskRuntime

_S = TaskInstanceState


def execute_task(
    *,
    dag: DAG,
    task: Any,
    spec: TaskInstanceSpec,
    runtime: TaskRuntime,
    log: logging.Logger,
    is_own_process: bool = False,
) -> TaskResult:
    """Run one try of one task instance, and say how it ended.

    Args:
        task: the task of *dag* as its file declares it; it is not changed.
        runtime: answers what user code asks for.
        log: gets what concerns the try as a whole.
        is_own_process: this process ends with the task: nothing need be put back.

    Raises:
        KeyboardInterrupt: Ctrl-C, after ``on_kill`` was called.
    """
    with task_surroundings(runtime, is_own_process=is_own_process):
        execution = TaskExecution(dag=dag, task=task, spec=spec, runtime=runtime, log=log)
        return execution.run(is_own_process=is_own_process)


def render_task(
    *,
    dag: DAG,
    task: Any,
    spec: TaskInstanceSpec,
    runtime: TaskRuntime,
    log: logging.Logger,
) -> dict[str, Any]:
    """Return the template fields of one task instance as its next try would render them.

    Raises:
        Exception: whatever a template, or the arguments of a mapped task, raise.
    """
    with task_surroundings(runtime):
        return TaskExecution(dag=dag, task=task, spec=spec, runtime=runtime, log=log).render()


class TaskExecution:
    """One try, from its XComs being cleared to its callbacks having run."""

    def __init__(
        self,
        *,
        dag: DAG,
        task: Any,
        spec: TaskInstanceSpec,
        runtime: TaskRuntime,
        log: logging.Logger,
    ) -> None:
        self._dag = dag
        self._task = task
        self._spec = spec
        self._runtime = runtime
        self._log = log
        self._ti = make_task_instance(task, spec, runtime)
        self._context = Context()
        self._xcoms: list[EncodedXCom] = []
        self._rendered_fields: dict[str, Any] | None = None
        self._rendered_map_index: str | None = None
        self._is_own_process = False

    def run(self, *, is_own_process: bool = False) -> TaskResult:
        """Do it."""
        self._is_own_process = is_own_process
        try:
            self._prepare()
            with set_current_context(self._context):
                self._check_assets()
                listening.tell_begin(self._ti)
                with copies_end_here(self._log):
                    value = self._execute()
                self._collect_result(value)
            ending = Ending(outcome.SUCCESS)
        except KeyboardInterrupt as error:
            self._kill()
            if not self._is_own_process:
                raise
            ending = self._judge(error)  # nobody's Ctrl-C comes here: the task raised it
        except BaseException as error:  # noqa: BLE001 - user code may raise anything
            ending = self._judge(error)
        self._ti.end_date = to_pendulum(utcnow())
        self._ti.state = self._state_after(ending)
        self._log_ending(ending)
        with contextlib.suppress(Exception):  # it is only a label
            self._render_map_index()
        self._run_callbacks(ending)
        listening.keep_links(self._ti, self._task, self._log)
        listening.tell_end(self._ti, ending.error if ending.is_failure else None)
        return self._result(ending)

    def render(self) -> dict[str, Any]:
        """Render the template fields, and do nothing else."""
        self._prepare()
        return {name: getattr(self._task, name, None) for name in self._task.template_fields}

    def look_back(self, state: TaskInstanceState) -> Context:
        """Return the context of a try that is over. Nothing is rendered, nothing removed."""
        self._bind_context()
        self._ti.state = state
        try:
            self._use_task(self._instance_of_task())
        except Exception:  # noqa: BLE001 - its arguments may be gone with the XComs that they came from
            self._log.exception("The task is shown to its callbacks as the file declares it")
        try:
            self._context["params"] = self._effective_params()
        except Exception:  # noqa: BLE001 - it is logged
            self._log.exception("The params of the run do not fit the task any more")
        with contextlib.suppress(Exception):
            self._render_map_index()
        return self._context

    def call_back(self, state: TaskInstanceState, error: Exception) -> None:
        """Call the callbacks that belong to *state*."""
        self.look_back(state)
        export_context(self._ti, self._spec.epoch, self._context)
        self._run_callbacks(Ending(outcome.FAILED, outcome.describe(error), error))

    # --- before ------------------------------------------------------------------------------

    def _prepare(self) -> None:
        spec = self._spec
        is_resuming = spec.next_method is not None
        if not is_resuming and (spec.epoch > 1 or spec.try_number > 1 or spec.reschedule_count):
            which = {"dag_id": spec.dag_id, "run_id": spec.run_id, "task_id": spec.task_id}
            xcom.purge_own(self._runtime, **which, map_index=spec.map_index)
            self._runtime.delete_xcoms(**which, map_index=spec.map_index)
        self._bind_context()
        context = self._context
        self._use_task(self._instance_of_task())
        context["params"] = self._effective_params()
        with contextlib.suppress(Exception):  # names that execute() adds are still missing
            self._render_map_index()
        with set_current_context(context):
            self._task.render_template_fields(context)
        self._show_rendered_fields()
        export_context(self._ti, self._spec.epoch, self._context)

    def _bind_context(self) -> None:
        spec = self._spec
        self._context = build_context(
            self._ti,
            params={},
            expanded_ti_count=_product(spec.mapped_lengths) if spec.map_index >= 0 else None,
            is_test=spec.is_test,
        )
        self._ti.bind_context(self._context)

    def _instance_of_task(self) -> Any:
        """Return the operator to be executed: a copy, with the arguments of its map index."""
        if not self._task.is_mapped:
            return self._task.prepare_for_execution()
        arguments, final_ids = self._task.resolve_mapped_kwargs(self._context, self._spec.map_index)
        operator = self._task.unmap(arguments)
        operator.__dict__["_rendered_ids"] = frozenset(final_ids)
        return operator

    def _use_task(self, task: Any) -> None:
        self._task = self._ti.task = self._context["task"] = task
        task.__dict__[RUNS_ITS_TASK] = True
        self._context["map_index_template"] = getattr(task, "map_index_template", None)

    def _effective_params(self) -> dict[str, Any]:
        """Return DAG params, overridden by the task's, overridden by the run's conf; validated."""
        params: ParamsDict = copy.copy(self._dag.params)
        for name, param in self._task.params.items():
            # A plain value of the task's own is checked by the schema that the DAG gave it.
            params[name] = param if param.schema or name not in params else param.value
        if not params and not self._ti.dag_run.conf:
            return {}
        if conf.getboolean("core", "dag_run_conf_overrides_params", fallback=True):
            for name, value in self._ti.dag_run.conf.items():
                params[name] = value
        return params.validate()

    def _show_rendered_fields(self) -> None:
        length_max = conf.getint("core", "max_templated_field_length", fallback=4096)
        self._rendered_fields = fields_to_show(self._task, length_max=length_max)

    # --- the task itself ---------------------------------------------------------------------

    def _check_assets(self) -> None:
        """Refuse to read or write an asset whose name or URI belongs to another one by now."""
        task = self._task
        if self._dag.dialect == "2" or not (task.inlets or task.outlets):
            return
        named = [one for one in (*task.inlets, *task.outlets) if isinstance(one, Asset)]
        asked = list(dict.fromkeys((one.name, one.uri) for one in named))
        if asked and (inactive := self._runtime.find_inactive_assets(assets=asked)):
            raise AirflowInactiveAssetInInletOrOutletException([tuple(one) for one in inactive])

    def _execute(self) -> Any:
        """Call hooks and ``execute`` in Airflow 3's order; ``post_execute`` gets the result."""
        task, context = self._task, self._context
        hook = getattr(task, "_pre_execute_hook", None)
        if hook is not None:
            self._call_hook(hook, context)
        task.pre_execute(context)
        run_callbacks(task, "on_execute_callback", context, self._log)
        self._runtime.executing()
        with time_limit(self._seconds_left(), on_expiry=self._kill, log=self._log):
            if self._spec.next_method is not None:
                next_kwargs = xcom_serialization.decode(self._spec.next_kwargs or "{}")
                await_input.look_at_event(next_kwargs)
                value = task.resume_execution(self._spec.next_method, next_kwargs, context)
            else:
                try:
                    value = task.execute(context)
                except TaskAwaitingInput as request:
                    raise await_input.as_deferral(request, self._ti, self._runtime) from None
                except DagRunTriggerException as request:
                    value = trigger_request.follow(request, task, context)  # type: ignore[func-returns-value]
        hook = getattr(task, "_post_execute_hook", None)
        if hook is not None:
            self._call_hook(hook, context, value)
        if _takes_result(task.post_execute):
            task.post_execute(context, value)
        else:
            task.post_execute(context)
        if getattr(task, "overwrite_rtif_after_execution", False):
            self._show_rendered_fields()
        return value

    def _call_hook(self, hook: Any, *arguments: Any) -> None:
        result = hook(*arguments)
        if inspect.isgenerator(result):
            run_generator(result, self._context)

    def _seconds_left(self) -> float | None:
        """Return the time limit: what is left of it after a deferral (section 11, row 13)."""
        limit = self._task.execution_timeout
        if limit is None:
            return None
        seconds = float(limit.total_seconds())
        if self._spec.next_method is not None and self._spec.started_at is not None:
            seconds -= (utcnow() - self._spec.started_at).total_seconds()
        return seconds

    def _kill(self) -> None:
        try:
            self._task.on_kill()
        except BaseException:  # noqa: BLE001 - user code; the task ends in any case
            self._log.exception("on_kill failed")

    # --- after -------------------------------------------------------------------------------

    def _collect_result(self, value: Any) -> None:
        """Encode what ``execute`` returned; it is stored together with the outcome."""
        task = self._task
        if value is not None and hasattr(task, "custom_operator_name"):  # of a decorated function
            for one in value if isinstance(value, list | tuple) else (value,):
                if isinstance(one, Asset):
                    self._context["outlet_events"].declare(one)
        if self._spec.map_index < 0:
            check_mappable(self._dag, task, value)
        if value is None or not task.do_xcom_push:
            return
        pushed: dict[str, Any] = {}
        if task.multiple_outputs:
            pushed.update(outputs_of(task.task_id, value))
        pushed[XCOM_RETURN_KEY] = value
        encoded = [EncodedXCom(key, *self._ti.encode_xcom(key, one)) for key, one in pushed.items()]
        self._xcoms.extend(encoded)
        self._ti.pending_xcoms.update(pushed)

    def _judge(self, error: BaseException) -> Ending:
        try:
            ending = outcome.judge_error(error)
        except Exception as problem:  # noqa: BLE001 - such as a trigger that cannot be stored
            ending = Ending(outcome.FAILED, outcome.describe(problem), problem)
        if ending.outcome == outcome.FAILED and isinstance(error, Exception):
            apply_retry_policy(ending, error, self._task, self._spec, self._context, self._log)
        if ending.trigger is not None:
            # Whoever runs the trigger need not know the task's own limit.
            limits = (ending.trigger["timeout_s"], self._seconds_left())
            ending.trigger["timeout_s"] = min(
                (one for one in limits if one is not None), default=None
            )
        self._ti.skip_task_ids.extend(ending.skip_task_ids)
        return ending

    def _state_after(self, ending: Ending) -> str:
        if ending.outcome in (outcome.FAILED, outcome.FAILED_FINAL):
            return _S.UP_FOR_RETRY if self._is_tried_again(ending) else _S.FAILED
        return {
            outcome.SUCCESS: _S.SUCCESS,
            outcome.SKIPPED: _S.SKIPPED,
            outcome.RESCHEDULED: _S.UP_FOR_RESCHEDULE,
            outcome.DEFERRED: _S.DEFERRED,
        }[ending.outcome]

    def _is_tried_again(self, ending: Ending) -> bool:
        return (
            ending.outcome == outcome.FAILED
            and self._task.retries > 0
            and self._spec.try_number <= self._spec.tries_max
        )

    def _log_ending(self, ending: Ending) -> None:
        if ending.is_failure and ending.error is not None:
            outcome.begin_traceback_in_user_code(ending.error)
        try:
            if ending.is_failure:
                self._log.error("Task failed with exception", exc_info=ending.error)
            elif ending.outcome == outcome.SKIPPED:
                self._log.info("Skipping task: %s", ending.reason)
        except BaseException:  # noqa: BLE001 - handlers, filters and texts of errors are user code
            with contextlib.suppress(BaseException):
                print(f"Task ended: {ending.reason}", flush=True)  # noqa: T201 - the log is broken

    def _render_map_index(self) -> None:
        """Render the label of this map index; mapped arguments are known there by their names."""
        template = getattr(self._task, "map_index_template", None)
        if not template or self._spec.map_index < 0:
            return
        from ...sdk.template_environment import render

        arguments = getattr(self._task, "op_kwargs", None)
        names = ChainMap(self._context, arguments if isinstance(arguments, dict) else {})
        environment = self._task.get_template_env()
        text = outcome.storable(
            mask(str(render(environment.from_string(template), names))), outcome.REASON_LENGTH_MAX
        )
        self._rendered_map_index = self._ti.rendered_map_index = text

    def _run_callbacks(self, ending: Ending) -> None:
        names = {
            _S.SUCCESS: "on_success_callback",
            _S.SKIPPED: "on_skipped_callback",
            _S.UP_FOR_RETRY: "on_retry_callback",
            _S.FAILED: "on_failure_callback",
        }
        name = names.get(_S(self._ti.state)) if self._ti.state else None
        if isinstance(ending.error, AirflowTaskTerminated) and self._tells_failures():
            name = self._name_after_termination(name)
        if name is None or not getattr(self._task, name, None):
            return
        if ending.error is not None:
            self._context["exception"] = ending.error
        surviving = _surviving_exit(self._log, is_own_process=self._is_own_process)
        with set_current_context(self._context), copies_end_here(self._log), surviving:
            run_callbacks(self._task, name, self._context, self._log)

    def _tells_failures(self) -> bool:
        return bool(self._task.on_failure_callback or self._task.on_retry_callback)

    def _name_after_termination(self, name: str | None) -> str | None:
        """Return which callbacks to call where somebody else may have moved the task instance.

        Its process is stopped when it is marked or cleared: only a failure is one then.
        """
        key = self._ti.task_id
        if self._spec.map_index >= 0:
            key = f"{key}[{self._spec.map_index}]"
        given = None
        with contextlib.suppress(Exception):  # whoever could tell is away: it ended as it says
            states = self._runtime.get_task_states(
                dag_id=self._spec.dag_id, run_ids=[self._spec.run_id], task_ids=[self._ti.task_id]
            )
            given = states.get(self._spec.run_id, {}).get(key)
        if given is None or given == _S.RUNNING:
            return name
        self._log.info("It was stopped because the task instance is %s now", given)
        if given != _S.FAILED:
            return None
        self._ti.state = _S.FAILED
        return "on_failure_callback"

    def _result(self, ending: Ending) -> TaskResult:
        is_success = ending.outcome == outcome.SUCCESS
        xcoms = list(self._xcoms) if is_success else []
        known = {one.key for one in xcoms}
        if is_success:  # what a branch noted; a failed try decides nothing
            xcoms += [
                EncodedXCom(key, *self._ti.encode_xcom(key, value))
                for key, value in self._ti.pending_xcoms.items()
                if key not in known and key != XCOM_RETURN_KEY
            ]
        traceback = ""
        if ending.is_failure and ending.error is not None:
            traceback = mask(outcome.traceback_of(ending.error))
        return TaskResult(
            outcome=ending.outcome,
            reason=outcome.storable(mask(ending.reason), outcome.REASON_LENGTH_MAX),
            traceback=outcome.storable(traceback, outcome.TRACEBACK_LENGTH_MAX),
            xcoms=xcoms,
            skip_task_ids=list(self._ti.skip_task_ids) if is_success else [],
            due_at=ending.due_at,
            trigger=ending.trigger,
            rendered_fields=self._rendered_fields,
            rendered_map_index=self._rendered_map_index,
            asset_events=asset_events_of(self._context, self._log) if is_success else [],
        )


@contextlib.contextmanager
def _surviving_exit(log: logging.Logger, *, is_own_process: bool) -> Iterator[None]:
    """Keep a callback that exits, or is stopped, from taking the result with it."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not is_own_process:
            raise
        log.exception("A callback was left by an exit")


def _takes_result(post_execute: Any) -> bool:
    """Tell whether ``post_execute`` takes the result (Airflow 2), or the context alone (3)."""
    if getattr(post_execute, "__func__", None) is BaseOperator.post_execute:
        return True
    try:
        parameters = inspect.signature(post_execute).parameters
    except (TypeError, ValueError):
        return True
    return (
        "result" in parameters
        or len(parameters) > 1
        or any(
            parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            for parameter in parameters.values()
        )
    )


def _product(lengths: list[int]) -> int | None:
    if not lengths:
        return None
    total = 1
    for length in lengths:
        total *= length
    return total
