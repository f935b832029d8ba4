"""``DAG``: tasks, their edges, and when they run, as a DAG file declares them.

Rules: semantics section 1. The scheduler never sees these objects: ``serialize_dag.py`` turns
them into plain data inside the parser's child.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from . import dag_arguments, dag_context, dialect
from .dag_graph import DagGraph
from .exceptions import (
    InvalidValueError,
    ParamValidationError,
)
from .graph import check_cycle
from .not_set import NOTSET, ArgNotSet, is_arg_set
from .operator_arguments import read_callbacks, validate_key
from .param import DagParam, ParamsDict
from .task_group import TaskGroup

if TYPE_CHECKING:
    from .abstract_operator import AbstractOperator

DEFAULT_VIEW_PRESETS = ("grid", "graph", "duration", "gantt", "landing_times")
ORIENTATION_PRESETS = ("LR", "TB", "RL", "BT")


class DAG(DagGraph):
    """A graph of tasks with a schedule. Use it as a context manager to declare its tasks.

    Arguments are those of Airflow 2 and 3 together; what only Airflow 2 knew is taken with a
    deprecation warning. Which generation's defaults hold is told by the imports of the calling
    module (``dialect``).
    """

    def __init__(
        self,
        dag_id: str,
        description: str | None = None,
        schedule: Any = NOTSET,
        schedule_interval: Any = NOTSET,
        timetable: Any = None,
        start_date: datetime | str | ArgNotSet | None = NOTSET,
        end_date: datetime | str | ArgNotSet | None = NOTSET,
        full_filepath: str | None = None,
        template_searchpath: str | Iterable[str] | None = None,
        template_undefined: Any = None,
        user_defined_macros: dict[str, Any] | None = None,
        user_defined_filters: dict[str, Any] | None = None,
        default_args: dict[str, Any] | None = None,
        *,
        max_active_tasks: int | ArgNotSet = NOTSET,
        max_active_runs: int | ArgNotSet = NOTSET,
        max_consecutive_failed_dag_runs: int | ArgNotSet = NOTSET,
        dagrun_timeout: timedelta | None = None,
        sla_miss_callback: Any = None,
        catchup: bool | ArgNotSet | None = NOTSET,
        on_success_callback: Any = None,
        on_failure_callback: Any = None,
        doc_md: str | None = None,
        params: Mapping[str, Any] | None = None,
        access_control: dict[str, Any] | None = None,
        is_paused_upon_creation: bool | None = None,
        jinja_environment_kwargs: dict[str, Any] | None = None,
        render_template_as_native_obj: bool = False,
        tags: Iterable[str] | None = None,
        owner_links: dict[str, str] | None = None,
        auto_register: bool = True,
        fail_fast: bool = False,
        dag_display_name: str | None = None,
        deadline: Any = None,
        allowed_run_types: Any = None,
        disable_bundle_versioning: bool = False,
        rerun_with_latest_version: bool | None = None,
        **kwargs: Any,
    ) -> None:
        frame = dialect.calling_frame()
        self.dialect: str = kwargs.pop("_dialect", None) or dialect.dialect_of(frame)
        fileloc = kwargs.pop("_fileloc", None)
        older = dag_arguments.legacy(kwargs)
        self.tags = dag_arguments.read_tags(tags, self.dialect)
        self.default_args = dag_arguments.read_default_args(default_args)
        validate_key(dag_id)
        self.dag_id = dag_id
        self.description = description
        self._set_file(fileloc or (frame.f_code.co_filename if frame is not None else ""))
        self.doc_md = dag_arguments.read_doc_md(doc_md, self.folder)
        self._dag_display_name = dag_display_name
        self._set_schedule(schedule, schedule_interval, timetable, start_date, end_date, catchup)
        self.max_active_tasks = (
            older.get("max_active_tasks")  # the older name wins, as in Airflow 2
            or dag_arguments.read_limit(max_active_tasks, "max_active_tasks_per_dag", dag_id)
        )
        self._set_run_limits(max_active_runs, max_consecutive_failed_dag_runs)
        self.dagrun_timeout = dag_arguments.read_dagrun_timeout(dagrun_timeout, dag_id)
        self.sla_miss_callback = sla_miss_callback
        self.on_success_callback = on_success_callback
        self.on_failure_callback = on_failure_callback
        self.template_searchpath = dag_arguments.read_searchpath(template_searchpath)
        self.template_undefined = template_undefined
        self.user_defined_macros = user_defined_macros
        self.user_defined_filters = user_defined_filters
        self.jinja_environment_kwargs = jinja_environment_kwargs
        self.render_template_as_native_obj = render_template_as_native_obj
        self.access_control = access_control
        self.is_paused_upon_creation = is_paused_upon_creation
        self.auto_register = auto_register
        self.fail_fast: bool = bool(older.get("fail_fast", fail_fast))
        self.deadline = deadline and _alerts(deadline, dag_id)
        self.allowed_run_types = allowed_run_types
        self.disable_bundle_versioning = disable_bundle_versioning
        self.rerun_with_latest_version = rerun_with_latest_version
        self._set_params(params)
        self.owner_links = dict(owner_links or {})
        dag_arguments.check_owner_links(self.owner_links)
        self.partial = False
        self.last_loaded: datetime | None = None
        self.task_dict: dict[str, AbstractOperator] = {}
        self.edge_info: dict[str, dict[str, dict[str, str]]] = {}
        #: What an ``@dag`` function returned (Airflow 3.3).
        self.result: Any = None
        self.task_group = TaskGroup(None, dag=self, _is_root=True)

    def _set_file(self, calling_file: str) -> None:
        parsed = dag_context.current_file()
        if parsed is None and calling_file and not calling_file.startswith("<"):
            calling_file = os.path.abspath(calling_file)  # noqa: PTH100 - a script's may be relative
        self.fileloc = parsed.path if parsed is not None else calling_file

    def _set_schedule(
        self,
        schedule: Any,
        schedule_interval: Any,
        timetable: Any,
        start_date: Any,
        end_date: Any,
        catchup: Any,
    ) -> None:
        """Work out dates, time zone and timetable."""
        from .timetables.create import create_timetable

        is_given = is_arg_set(schedule) or is_arg_set(schedule_interval) or timetable is not None
        self.schedule = dag_arguments.one_schedule(
            schedule, schedule_interval, timetable, self.dialect
        )
        dag_arguments.check_start_date(
            dialect=self.dialect,
            is_schedule_given=is_given,
            schedule=self.schedule,
            has_start=bool(is_arg_set(start_date) and start_date)
            or bool(self.default_args.get("start_date")),
        )
        self.start_date, self.end_date, self.timezone = dag_arguments.read_dates(
            start_date, end_date, self.default_args, self.dialect
        )
        try:
            self.timetable = create_timetable(
                self.schedule, timezone=self.timezone, dialect=self.dialect
            )
        except InvalidValueError:
            raise
        except ValueError as error:
            raise InvalidValueError(f"the DAG {self.dag_id!r}: {error}") from error
        self.catchup, self.is_catchup_implied = dag_arguments.read_catchup(catchup, self.dialect)
        if (
            self.dialect == "3"
            and self.catchup
            and not self.is_catchup_implied
            and self.timetable.can_be_scheduled
            and self.start_date is None
        ):
            raise InvalidValueError(
                f"the DAG {self.dag_id!r} has catchup=True, so it needs a start_date"
            )

    def _set_run_limits(self, max_active_runs: Any, failed_max: Any) -> None:
        self.max_active_runs = dag_arguments.read_limit(
            max_active_runs, "max_active_runs_per_dag", self.dag_id
        )
        limit = self.timetable.active_runs_limit
        if limit is not None and limit < self.max_active_runs:
            raise InvalidValueError(
                f"the schedule of the DAG {self.dag_id!r} allows at most {limit} active runs: "
                f"set max_active_runs={limit}"
            )
        failed = failed_max if is_arg_set(failed_max) and failed_max else NOTSET
        self.max_consecutive_failed_dag_runs = dag_arguments.read_limit(
            failed, "max_consecutive_failed_dag_runs_per_dag", self.dag_id
        )
        if self.max_consecutive_failed_dag_runs < 0:
            raise InvalidValueError("max_consecutive_failed_dag_runs must not be negative")

    def _set_params(self, params: Mapping[str, Any] | None) -> None:
        self.params = ParamsDict(params)
        self.params.is_json_optional = self.dialect == "2"
        for name, value in (self.default_args.pop("params", None) or {}).items():
            self.params[name] = value

    # --- names and places --------------------------------------------------------------------

    @property
    def dag_display_name(self) -> str:
        """The name that pages show."""
        return self._dag_display_name or self.dag_id

    @property
    def safe_dag_id(self) -> str:
        """The id for places that allow no dots."""
        return self.dag_id.replace(".", "__dot__")

    @property
    def folder(self) -> str:
        """The folder of the DAG file."""
        return os.path.dirname(self.fileloc)  # noqa: PTH120 - "" must stay "", not "."

    @property
    def relative_fileloc(self) -> Path:
        """The DAG file, relative to the DAGs folder where it is in it."""
        from .configuration import dags_folder

        path = Path(self.fileloc)
        folder = dags_folder()
        return path.relative_to(folder) if path.is_relative_to(folder) else path

    @property
    def owner(self) -> str:
        """The owners of the tasks, joined by commas."""
        owners = {getattr(task, "owner", "") for task in self.task_dict.values()}
        return ", ".join(sorted(owner for owner in owners if owner))

    @property
    def schedule_interval(self) -> Any:
        """Airflow 2's name of ``schedule``."""
        return self.schedule

    @property
    def fail_stop(self) -> bool:
        """Airflow 2's name of ``fail_fast``."""
        return self.fail_fast

    @property
    def concurrency(self) -> int:
        """Airflow 1's name of ``max_active_tasks``."""
        return self.max_active_tasks

    @property
    def has_on_success_callback(self) -> bool:
        """Whether something is called when a run succeeds."""
        return bool(read_callbacks(self.on_success_callback, ""))

    @property
    def has_on_failure_callback(self) -> bool:
        """Whether something is called when a run fails."""
        return bool(read_callbacks(self.on_failure_callback, ""))

    # --- declaring ---------------------------------------------------------------------------

    def param(self, name: str, default: Any = NOTSET) -> DagParam:
        """Return a param as a value to be passed to tasks."""
        return DagParam(current_dag=self, name=name, default=default)

    @property
    def task(self) -> Any:
        """``@dag.task``: the ``@task`` family, bound to this DAG."""
        from .task_decorators import BoundTaskDecorators

        return BoundTaskDecorators(self)

    def __enter__(self) -> DAG:
        dag_context.push(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        dag_context.pop(self)

    # --- checking ----------------------------------------------------------------------------

    def validate(self) -> None:
        """Check what can be checked only when the DAG is complete.

        Raises:
            AirflowTimetableInvalid: the schedule makes no sense.
            AirflowDagCycleException: tasks depend on each other in a circle.
            ParamValidationError: a scheduled DAG whose params need a person.
            ValueError: a setup is followed by a task that does not wait for success.
        """
        self.timetable.validate()
        self.validate_params()
        check_cycle(self)
        self.validate_setup_teardown()
        self._check_run_types()

    def validate_params(self) -> None:
        """Raise ParamValidationError when params cannot be stored, or have no valid defaults.

        Defaults that fail their schema matter only to a DAG with a schedule.
        """
        if self.dialect == "3":
            self.params.check_defaults_are_json(self.dag_id)
        if not self.timetable.can_be_scheduled:
            return
        try:
            self.params.validate()
        except ParamValidationError as error:
            raise ParamValidationError(
                f"the DAG {self.dag_id!r} has a schedule, so its params need valid defaults: "
                f"{error}"
            ) from error

    def validate_setup_teardown(self) -> None:
        """Raise ValueError when a setup is followed by a task that does not need its success."""
        for task in self.tasks:
            if not task.is_setup:
                continue
            for following in task.downstream_list:
                if not following.is_teardown and str(following.trigger_rule) != "all_success":
                    raise InvalidValueError(
                        f"the DAG {self.dag_id!r}: the task {following.task_id!r} follows the "
                        f"setup {task.task_id!r}, so its trigger rule must be all_success, not "
                        f"{following.trigger_rule!s}; remove its trigger_rule"
                    )

    def _check_run_types(self) -> None:
        if self.allowed_run_types is None:
            return
        given = self.allowed_run_types
        types = [given] if isinstance(given, str) else list(given)
        self.allowed_run_types = sorted(str(getattr(type_, "value", type_)) for type_ in types)
        if self.timetable.asset_condition is not None:
            implied = "asset_triggered"
        else:
            implied = "scheduled" if self.timetable.can_be_scheduled else "manual"
        if implied not in self.allowed_run_types:
            raise InvalidValueError(
                f"the DAG {self.dag_id!r} must allow runs of type {implied}, "
                "because its schedule makes them"
            )

    def check_cycle(self) -> None:
        """Raise AirflowDagCycleException when tasks depend on each other in a circle."""
        check_cycle(self)

    # --- running -----------------------------------------------------------------------------

    def test(self, *args: Any, **kwargs: Any) -> Any:
        """Run the whole DAG in this process and return the dag run (semantics section 10.1).

        Args:
            args: the logical date (Airflow 2), or ``run_after`` (3), in the first place.
            kwargs: ``execution_date``, ``logical_date``, ``run_after``, ``run_conf``,
                ``conn_file_path``, ``variable_file_path``, ``use_executor``,
                ``mark_success_pattern``.
        """
        from .dag_entry_points import run_test

        return run_test(self, *args, **kwargs)

    def cli(self) -> None:
        """Be the command line of this DAG file (semantics section 10.2)."""
        from .dag_entry_points import run_command_line

        run_command_line(self)

    def get_template_env(self, *, force_sandboxed: bool = False) -> Any:
        """Return the Jinja environment of the DAG."""
        from .templates import environment_for

        return environment_for(self)

    def resolve_template_files(self) -> None:
        """Replace file names in template fields by the files' text, where that is asked for."""
        from .templates import resolve_template_files

        for task in self.tasks:
            resolve_template_files(task)

    # --- comparing ---------------------------------------------------------------------------

    def _key(self) -> tuple[Any, ...]:
        return (
            self.dag_id,
            frozenset(self.task_dict),
            self.start_date,
            self.end_date,
            self.fileloc,
            tuple(self.template_searchpath or ()),
            self.last_loaded,
            repr(self.schedule),
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __lt__(self, other: DAG) -> bool:
        return self.dag_id < other.dag_id

    def __repr__(self) -> str:
        return f"<DAG: {self.dag_id}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> DAG:
        from .dag_subset import deep_copy

        return deep_copy(self, memo)


def _alerts(deadline: Any, dag_id: str) -> list[Any]:
    from .deadline import alerts_of  # late: few DAGs have any

    return alerts_of(deadline, dag_id)


def dags_of_module(module: ModuleType, parsed: dag_context.FileBeingParsed) -> list[DAG]:
    """Return the DAGs of an imported file: those bound to a global name, then registered ones."""
    found = [value for value in vars(module).values() if isinstance(value, DAG)]
    unique: dict[int, DAG] = {id(dag): dag for dag in [*found, *parsed.registered]}
    return list(unique.values())
