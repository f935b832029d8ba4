"""Every exception name of Airflow 2 and 3 that DAG files, operators and providers catch.

Where the generations raise different types for one mistake (semantics section 11, rows 18 and
19), ours inherits both, so that either ``except`` clause catches it. Those by which a task says how
it ends or waits are defined in ``task_ends.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import AirflowException as AirflowException
from .errors import ConfigurationError
from .task_ends import *  # noqa: F403 - every name of it is one of Airflow's, too

if TYPE_CHECKING:
    from collections.abc import Iterable


class InvalidValueError(AirflowException, ValueError):
    """An argument has a value that is not allowed (AirflowException in 2, ValueError in 3)."""


class InvalidArgumentError(AirflowException, TypeError):
    """An argument is missing, unknown or of a wrong type (2: AirflowException, 3: TypeError)."""


class InvalidUseError(AirflowException, RuntimeError):
    """Something was used where it cannot be (AirflowException in 2, RuntimeError in 3)."""


class AirflowBadRequest(AirflowException):
    """The request cannot be understood."""

    status_code = 400


class AirflowNotFoundException(AirflowException):
    """What was asked for does not exist."""

    status_code = 404


class AirflowSecretsBackendAccessDenied(AirflowException):
    """A secrets backend may not tell: no other place is asked."""


class AirflowConfigException(AirflowException, ConfigurationError):
    """The configuration is wrong or lacks something."""


class ErrorType(Enum):
    """Why an ``AirflowRuntimeError`` was raised."""

    CONNECTION_NOT_FOUND = "CONNECTION_NOT_FOUND"
    VARIABLE_NOT_FOUND = "VARIABLE_NOT_FOUND"
    XCOM_NOT_FOUND = "XCOM_NOT_FOUND"
    ASSET_NOT_FOUND = "ASSET_NOT_FOUND"
    DAGRUN_ALREADY_EXISTS = "DAGRUN_ALREADY_EXISTS"
    DAG_RUN_NOT_FOUND = "DAG_RUN_NOT_FOUND"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    GENERIC_ERROR = "GENERIC_ERROR"
    API_SERVER_ERROR = "API_SERVER_ERROR"


class AirflowRuntimeError(AirflowException):
    """A request to what lives above the task failed. ``error`` is what was answered."""

    def __init__(self, error: Any = "") -> None:
        self.error = error
        super().__init__(error if isinstance(error, str) else str(error))


class VariableNotFoundError(AirflowRuntimeError, KeyError):
    """``Variable.get`` without a default found nothing (KeyError in 2)."""

    def __str__(self) -> str:  # KeyError would show the text quoted
        return str(self.args[0]) if self.args else ""


class AirflowTimetableInvalid(AirflowException, ValueError):
    """A timetable's definition makes no sense (a cron text, a delta that is not positive)."""


class AirflowDagCycleException(AirflowException, ValueError):
    """The tasks of a DAG depend on each other in a circle."""


class AirflowDagInconsistent(AirflowException):
    """A DAG's settings contradict each other."""


class AirflowDagDuplicatedIdException(AirflowException):
    """Two files define the same ``dag_id``."""

    def __init__(self, dag_id: str, incoming: str, existing: str) -> None:
        super().__init__(dag_id, incoming, existing)
        self.dag_id, self.incoming, self.existing = dag_id, incoming, existing

    def __str__(self) -> str:
        return f"the DAG {self.dag_id!r} of {self.incoming} is already defined in {self.existing}"


class AirflowClusterPolicyViolation(AirflowException):
    """A cluster policy refuses a DAG or a task."""


class AirflowClusterPolicySkipDag(AirflowException):
    """A cluster policy asks to leave a DAG out, without an import error."""


class AirflowClusterPolicyError(AirflowException):
    """A cluster policy itself failed."""


class ParamValidationError(AirflowException, ValueError):
    """The value of a param does not match its JSON schema, or is not JSON."""


class DuplicateTaskIdFound(AirflowException):
    """Two tasks or groups of one DAG have the same id."""


class TaskAlreadyInTaskGroup(AirflowException):
    """A task was added to a second task group."""

    def __init__(
        self, task_id: str, existing_group_id: str | None = None, new_group_id: str | None = None
    ) -> None:
        super().__init__(task_id, existing_group_id, new_group_id)
        self.task_id = task_id
        self.existing_group_id = existing_group_id
        self.new_group_id = new_group_id

    def __str__(self) -> str:
        old = f"group {self.existing_group_id!r}" if self.existing_group_id else "the DAG"
        new = f"group {self.new_group_id!r}" if self.new_group_id else "the DAG"
        return f"the task {self.task_id!r} already belongs to {old} and cannot be added to {new}"


class DagInvalidTriggerRule(AirflowException, ValueError):
    """A trigger rule that a fail-fast DAG cannot honour."""

    @classmethod
    def check(cls, *, is_fail_fast: bool, trigger_rule: str) -> None:
        """Raise when a task with *trigger_rule* cannot be in such a DAG."""
        allowed = ("all_success", "all_done_setup_success")
        if is_fail_fast and trigger_rule not in allowed:
            raise FailStopDagInvalidTriggerRule(
                f"in a fail-fast DAG every task needs the trigger rule all_success, "
                f"not {trigger_rule}"
            )


class FailFastDagInvalidTriggerRule(DagInvalidTriggerRule):
    """Airflow 3's name for it."""


class FailStopDagInvalidTriggerRule(FailFastDagInvalidTriggerRule):
    """Airflow 2's name for it."""


class DagNotFound(AirflowNotFoundException):
    """No DAG has this id."""


class DagCodeNotFound(AirflowNotFoundException):
    """No source is stored for this DAG."""


class DagRunNotFound(AirflowNotFoundException):
    """No run has this id."""


class DagIsPaused(AirflowException):
    """The DAG to be triggered is paused."""

    def __init__(self, dag_id: str = "") -> None:
        super().__init__(dag_id)
        self.dag_id = dag_id

    def __str__(self) -> str:
        return f"the DAG {self.dag_id!r} is paused"


class DagRunAlreadyExists(AirflowBadRequest):
    """A run with this id, or this logical date, exists."""

    def __init__(self, dag_run: Any = None, *args: Any, **kwargs: Any) -> None:
        run_id = getattr(dag_run, "run_id", dag_run)
        dag_id = getattr(dag_run, "dag_id", None) or kwargs.get("dag_id", "")
        if isinstance(dag_run, str) and not args and not kwargs:
            super().__init__(dag_run)
        else:
            super().__init__(f"the DAG {dag_id!r} already has a run {run_id!r}")
        self.dag_run = dag_run


class DagFileExists(AirflowBadRequest):
    """A DAG file would be overwritten."""


class TaskNotFound(AirflowNotFoundException):
    """The DAG has no task with this id."""


class NodeNotFound(TaskNotFound, KeyError):
    """The DAG has neither a task nor a group with this id."""

    def __str__(self) -> str:  # KeyError would show the text quoted
        return str(self.args[0]) if self.args else ""


class TaskInstanceNotFound(AirflowNotFoundException):
    """The run has no such task instance."""


class PoolNotFound(AirflowNotFoundException):
    """No pool has this name."""


class NoAvailablePoolSlot(AirflowException):
    """The pool is full."""


class DagConcurrencyLimitReached(AirflowException):
    """The DAG has as many active tasks as it may have."""


class TaskConcurrencyLimitReached(AirflowException):
    """The task has as many active instances as it may have."""


class ConnectionNotUnique(AirflowException):
    """Several connections have one id."""


class AirflowOptionalProviderFeatureException(AirflowException):
    """A feature of a provider needs a package that is not installed."""


class AirflowWebServerException(AirflowException):
    """The web server failed."""


class AirflowSecurityException(AirflowException):
    """Something forbidden was tried."""


class InvalidStatsNameException(AirflowException):
    """A metric's name is not allowed."""


class UnknownExecutorException(AirflowException, ValueError):
    """An executor that is not configured was named."""


class SerializationError(AirflowException):
    """A DAG or a value cannot be turned into plain data."""


class DeserializingResultError(AirflowException, ValueError):
    """The result of another interpreter cannot be read here."""

    def __str__(self) -> str:
        return "the result of the other Python environment cannot be read in this one"


class PodMutationHookException(AirflowException):
    """The pod mutation hook failed."""


class PodReconciliationError(AirflowException):
    """Two pod definitions cannot be merged."""


# --- XCom and mapping ------------------------------------------------------------------------


class XComNotFound(AirflowException):
    """A task refers to an XCom that was never pushed."""

    def __init__(self, dag_id: str, task_id: str, key: str) -> None:
        super().__init__(dag_id, task_id, key)
        self.dag_id, self.task_id, self.key = dag_id, task_id, key

    def __str__(self) -> str:
        return f"no XCom {self.key!r} of the task {self.task_id!r} in the DAG {self.dag_id!r}"


class UnmappableOperator(AirflowException):
    """The operator cannot be mapped."""


class XComForMappingNotPushed(AirflowException, TypeError):
    """A task that others are mapped over returned nothing."""

    def __str__(self) -> str:
        return "other tasks are mapped over this task's result, but it returned None"


class UnmappableXComTypePushed(AirflowException, TypeError):
    """A task that others are mapped over returned something that has no elements."""

    def __init__(self, value: Any = None, *values: Any) -> None:
        super().__init__(value, *values)
        self.value = value

    def __str__(self) -> str:
        kind = type(self.value).__qualname__
        return f"other tasks are mapped over this task's result, but a {kind} cannot be mapped"


class UnmappableXComLengthPushed(AirflowException, ValueError):
    """A task that others are mapped over returned more elements than ``max_map_length``."""

    def __init__(self, value: Any = None, max_length: int = 0) -> None:
        super().__init__(value, max_length)
        self.value, self.max_length = value, max_length

    def __str__(self) -> str:
        count = len(self.value) if hasattr(self.value, "__len__") else self.value
        return f"the result has {count} elements; at most {self.max_length} can be mapped over"


# --- what other DAGs did ---------------------------------------------------------------------


class ExternalTaskSensorError(AirflowException):
    """Something that an ``ExternalTaskSensor`` waits for will not come."""


class ExternalTaskFailedError(ExternalTaskSensorError):
    """A task that it waits for failed."""


class ExternalTaskGroupFailedError(ExternalTaskSensorError):
    """A task group that it waits for failed."""


class ExternalDagFailedError(ExternalTaskSensorError):
    """A run that it waits for failed."""


# --- files, deprecations ---------------------------------------------------------------------


class FileSyntaxError(NamedTuple):
    """One mistake in a file of variables or connections. ``line_no`` counts from 1."""

    line_no: int | None
    message: str

    def __str__(self) -> str:
        return f"{self.message}. Line number: {self.line_no}"


class AirflowUnsupportedFileTypeException(AirflowException):
    """A file of variables or connections has an unknown ending."""


class AirflowFileParseException(AirflowException):
    """A file of variables or connections cannot be read."""

    def __init__(self, msg: str, file_path: str, parse_errors: Iterable[FileSyntaxError]) -> None:
        super().__init__(msg)
        self.msg, self.file_path, self.parse_errors = msg, file_path, list(parse_errors)

    def __str__(self) -> str:
        return "\n".join([f"{self.msg} ({self.file_path})", *map(str, self.parse_errors)])


class RemovedInAirflow3Warning(DeprecationWarning):
    """Airflow 3 lacks this."""

    deprecated_since: str | None = None


class RemovedInAirflow4Warning(DeprecationWarning):
    """Airflow 4 will lack this."""

    deprecated_since: str | None = None


class AirflowProviderDeprecationWarning(DeprecationWarning):
    """A provider will lose this."""

    deprecated_provider_since: str | None = None


class BackfillUnfinished(AirflowException):
    """Some tasks of a backfill did not succeed."""

    def __init__(self, message: str, ti_status: Mapping[str, Any] | Any = None) -> None:
        super().__init__(message)
        self.ti_status = ti_status
