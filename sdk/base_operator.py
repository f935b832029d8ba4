"""``BaseOperator``: one task, and what the author says about it.

Rules: semantics section 2. What happens around ``execute`` in a task process is not here but in
``runtime/task/execute.py``; rendering is in ``templates.py``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from . import operator_arguments, setup_teardown
from .abstract_operator import AbstractOperator
from .dag_node import DAGNode
from .exceptions import (
    InvalidArgumentError,
    InvalidValueError,
    TaskDeferralError,
    TaskDeferralTimeout,
    TaskDeferred,
)
from .not_set import NOTSET, ArgNotSet
from .operator_construction import BaseOperatorMeta, Construction, construction_of
from .operator_link import links_of
from .param import ParamsDict
from .xcom_arg import XComArg

if TYPE_CHECKING:
    import logging

    from .dag import DAG
    from .mapped_operator import OperatorPartial
    from .operator_link import BaseOperatorLink
    from .task_group import TaskGroup

_KEPT_ELSEWHERE = ("self", "kwargs", "__class__", "dag", "task_group", "default_args")


class BaseOperator(AbstractOperator, metaclass=BaseOperatorMeta):
    """Superclass of all operators: subclass it and define ``execute(context)``.

    All arguments are keywords; those not given come from the ``default_args`` of the DAG and of
    the groups around the task.
    """

    template_fields: Collection[str] = ()
    template_ext: Sequence[str] = ()
    template_fields_renderers: ClassVar[dict[str, str]] = {}
    ui_color: str = "#fff"
    ui_fgcolor: str = "#000"
    operator_extra_links: Collection[BaseOperatorLink] = ()
    shallow_copy_attrs: Sequence[str] = ()
    subdag: ClassVar[None] = None
    supports_lineage: bool = False
    start_trigger_args: Any = None
    start_from_trigger: bool = False

    _is_built: bool = False
    _is_locked: bool = False

    # Attributes that __init__ sets through READERS; declared for readers and type checkers.
    owner: str
    retries: int
    retry_delay: timedelta
    retry_exponential_backoff: float
    max_retry_delay: timedelta | None
    execution_timeout: timedelta | None
    pool: str
    pool_slots: int
    queue: str
    depends_on_past: bool
    wait_for_downstream: bool
    do_xcom_push: bool
    inlets: list[Any]
    outlets: list[Any]
    multiple_outputs: bool
    params: ParamsDict
    _logger_name: str | None
    _task_display_name: str | None
    _pre_execute_hook: Callable[..., Any] | None
    _post_execute_hook: Callable[..., Any] | None

    def __init__(
        self,
        *,
        task_id: str,
        owner: str | ArgNotSet = NOTSET,
        email: str | Sequence[str] | None = None,
        email_on_retry: bool | ArgNotSet = NOTSET,
        email_on_failure: bool | ArgNotSet = NOTSET,
        retries: int | str | ArgNotSet | None = NOTSET,
        retry_delay: timedelta | float | ArgNotSet = NOTSET,
        retry_exponential_backoff: float | bool = 0,
        max_retry_delay: timedelta | float | None = None,
        retry_policy: Any = None,
        start_date: datetime | str | None = None,
        end_date: datetime | str | None = None,
        depends_on_past: bool = False,
        ignore_first_depends_on_past: bool | ArgNotSet = NOTSET,
        wait_for_past_depends_before_skipping: bool = False,
        wait_for_downstream: bool = False,
        dag: DAG | None = None,
        task_group: TaskGroup | None = None,
        params: Mapping[str, Any] | None = None,
        default_args: Mapping[str, Any] | None = None,
        priority_weight: int = 1,
        weight_rule: Any = NOTSET,
        queue: str | ArgNotSet = NOTSET,
        pool: str | None = None,
        pool_slots: int = 1,
        sla: timedelta | None = None,
        execution_timeout: timedelta | ArgNotSet | None = NOTSET,
        on_execute_callback: Any = None,
        on_failure_callback: Any = None,
        on_success_callback: Any = None,
        on_retry_callback: Any = None,
        on_skipped_callback: Any = None,
        pre_execute: Callable[..., Any] | None = None,
        post_execute: Callable[..., Any] | None = None,
        trigger_rule: str = "all_success",
        resources: dict[str, Any] | None = None,
        run_as_user: str | None = None,
        task_concurrency: int | None = None,
        map_index_template: str | None = None,
        max_active_tis_per_dag: int | None = None,
        max_active_tis_per_dagrun: int | None = None,
        executor: str | None = None,
        executor_config: dict[str, Any] | None = None,
        do_xcom_push: bool = True,
        multiple_outputs: bool = False,
        inlets: Any = None,
        outlets: Any = None,
        task_display_name: str | None = None,
        logger_name: str | None = None,
        allow_nested_operators: bool = True,
        render_template_as_native_obj: bool | None = None,
        doc: str | None = None,
        doc_md: str | None = None,
        doc_json: str | None = None,
        doc_yaml: str | None = None,
        doc_rst: str | None = None,
        **kwargs: Any,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in _KEPT_ELSEWHERE}
        construction = construction_of(self)
        self._join(construction, dag, task_group, task_id)
        operator_arguments.refuse_unknown(kwargs, self._name)
        self._store(given, construction)

    @property
    def _name(self) -> str:
        place = "" if self._dag is None else f" of the DAG {self._dag.dag_id!r}"
        return f"{type(self).__name__} {self.task_id!r}{place}"

    def _join(
        self,
        construction: Construction,
        dag: DAG | None,
        task_group: TaskGroup | None,
        task_id: str,
    ) -> None:
        """Find the place of the task in DAG and group; its id gets the group's prefix."""
        self._dag = dag if dag is not None else construction.dag
        group = task_group if task_group is not None else construction.task_group
        if group is not None and self._dag is not None and group.dag is not self._dag:
            group = self._dag.task_group  # the open group belongs to another DAG
        self.task_group = group
        if not construction.is_detached:
            if group is not None:
                task_id = group.child_id(task_id)
            operator_arguments.validate_key(task_id)
        self.task_id = task_id
        self.upstream_task_ids = set()
        self.downstream_task_ids = set()

    def _store(self, given: dict[str, Any], construction: Construction) -> None:
        """Set an attribute for each argument, read as ``operator_arguments`` says."""
        where = self._name
        operator_arguments.check_types(given, where)
        attributes = self.__dict__
        del given["task_id"]
        own_params = given.pop("params")
        # Params themselves, not their values: a required one has no value before a run, and a
        # task's params keep the schema that the DAG gave them.
        params = ParamsDict(construction.dag_params)
        params.is_json_optional = self._dag is not None and self._dag.dialect == "2"
        for several in (own_params, construction.default_params):
            params.update(several if several is not None else {})
        attributes["params"] = params
        concurrency = given.pop("task_concurrency")
        if concurrency is not None and given["max_active_tis_per_dag"] is None:
            given["max_active_tis_per_dag"] = concurrency
        attributes["_pre_execute_hook"] = given.pop("pre_execute")
        attributes["_post_execute_hook"] = given.pop("post_execute")
        attributes["_task_display_name"] = given.pop("task_display_name")
        attributes["_logger_name"] = given.pop("logger_name")
        dialect = self._dag.dialect if self._dag is not None else None
        attributes["trigger_rule"] = operator_arguments.read_trigger_rule(
            given.pop("trigger_rule"), where, dialect
        )
        if given["ignore_first_depends_on_past"] is NOTSET:
            given["ignore_first_depends_on_past"] = dialect == "2"  # section 11, row 6
        for name, read in operator_arguments.READERS.items():
            attributes[name] = read(given.pop(name), where)
        attributes.update(given)
        if self.wait_for_downstream:
            attributes["depends_on_past"] = True

    def _finish_construction(self, construction: Construction) -> None:
        """Enter DAG and group, once every ``__init__`` has run."""
        self._is_built = True
        if construction.is_detached:
            self._is_locked = True
            return
        if self.trigger_rule == "always" and any(
            not group.expand_input.has_literal_length for group in self.iter_mapped_task_groups()
        ):
            raise InvalidValueError(
                f"{self._name} is in a group that is mapped over results, so its trigger rule "
                "cannot be 'always'"
            )
        if self.task_group is not None:
            self.task_group.add(self)
        if self._dag is not None:
            self._dag.add_task(self)
        setup_teardown.note_task(self)
        for name in self.template_fields:
            self._follow_references(self.__dict__.get(name))

    def _follow_references(self, value: Any) -> None:
        if value is None or isinstance(value, (str, int, float)):
            return
        if isinstance(value, (list, tuple, dict)) and not value:
            return  # the common case: it spares classic DAGs the loading of XComArg
        XComArg.apply_upstream_relationship(self, value)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if self._is_built and not self._is_locked and name in self.template_fields:
            self._follow_references(value)

    # --- place in the DAG --------------------------------------------------------------------

    @property
    def task_type(self) -> str:
        """The name of the operator's class."""
        return type(self).__name__

    @property
    def operator_class(self) -> type[BaseOperator]:
        """The operator's class."""
        return type(self)

    @property
    def operator_name(self) -> str:
        """What pages call the operator: ``@task.bash`` for a decorated one."""
        return getattr(self, "custom_operator_name", None) or self.task_type

    @property
    def log(self) -> logging.Logger:
        """The logger of the task's class, below ``airflow.task``."""
        import logging

        name = self._logger_name or f"{type(self).__module__}.{type(self).__qualname__}"
        return logging.getLogger(f"airflow.task.operators.{name}")

    @property
    def max_active_tis(self) -> int | None:
        """Airflow's older name of ``max_active_tis_per_dag``."""
        return self.max_active_tis_per_dag  # type: ignore[attr-defined,no-any-return]

    @property
    def extra_links(self) -> list[str]:
        """Names of the operator's links."""
        return sorted(links_of(type(self)))

    @property
    def extra_link_keys(self) -> dict[str, str]:
        """Names of the buttons → XCom keys under which their addresses are kept."""
        return {name: link.xcom_key for name, link in sorted(links_of(type(self)).items())}

    def __lt__(self, other: Any) -> Any:
        return _note_asset(self, other, "inlets")

    def __gt__(self, other: Any) -> Any:
        return _note_asset(self, other, "outlets")

    def __repr__(self) -> str:
        return f"<Task({self.task_type}): {self.task_id}>"

    # --- mapping -----------------------------------------------------------------------------

    @classmethod
    def partial(cls, *, task_id: str, **kwargs: Any) -> OperatorPartial:
        """Fix some arguments; ``expand`` of the answer maps the others.

        Raises:
            TypeError: an argument is unknown.
        """
        from .mapped_operator import operator_partial

        return operator_partial(cls, task_id=task_id, **kwargs)

    # --- what a task does --------------------------------------------------------------------

    def pre_execute(self, context: Any) -> None:
        """Run just before ``execute``; for subclasses."""

    def execute(self, context: Any) -> Any:
        """Do the work; the answer becomes the XCom ``return_value``."""
        raise NotImplementedError(f"{type(self).__name__} does not define execute()")

    def post_execute(self, context: Any, result: Any = None) -> None:
        """Run just after ``execute``; for subclasses."""

    def on_kill(self) -> None:
        """Clean up when the task is stopped; for subclasses."""

    def defer(
        self,
        *,
        trigger: Any,
        method_name: str,
        kwargs: dict[str, Any] | None = None,
        timeout: timedelta | float | None = None,
    ) -> NoReturn:
        """Free the slot until *trigger* fires; then *method_name* is called with its event."""
        raise TaskDeferred(trigger=trigger, method_name=method_name, kwargs=kwargs, timeout=timeout)

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any
    ) -> Any:
        """Go on after a deferral.

        Raises:
            TaskDeferralTimeout, TaskDeferralError: its trigger was too late, or failed.
        """
        from .triggers import FAIL_METHOD, TIMEOUT_REASON

        if next_method == FAIL_METHOD:
            told = next_kwargs or {}
            if told.get("traceback"):
                self.log.error("The trigger failed:\n%s", "".join(told["traceback"]))
            error = told.get("error", "Unknown")
            raise (TaskDeferralTimeout if error == TIMEOUT_REASON else TaskDeferralError)(error)
        return getattr(self, next_method)(context, **(next_kwargs or {}))

    def dry_run(self) -> None:
        """Log the rendered template fields instead of doing the work."""
        for name in self.template_fields:
            self.log.info("%s: %s", name, getattr(self, name, None))

    def prepare_for_execution(self) -> BaseOperator:
        """Return a copy whose template fields can be rendered without changing the DAG."""
        other = copy.copy(self)
        other._is_locked = True
        return other

    # --- templates: delegated, so that jinja2 is loaded by those who render -------------------

    def get_template_env(self, dag: DAG | None = None) -> Any:
        """Return the Jinja environment of the task's DAG."""
        from .templates import environment_for

        is_native = self.__dict__.get("render_template_as_native_obj")
        return environment_for(dag if dag is not None else self._dag, is_native=is_native)

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Replace every template field by its rendered value, in place."""
        from .templates import render_fields

        render_fields(self, context, jinja_env, self.__dict__.get("_rendered_ids", frozenset()))

    def render_template(
        self, content: Any, context: Any, jinja_env: Any = None, seen_oids: Any = None
    ) -> Any:
        """Return *content* with every template in it rendered."""
        from .templates import render_value

        return render_value(self, content, context, jinja_env)

    def resolve_template_files(self) -> None:
        """Replace file names in template fields by the files' text."""
        from .templates import resolve_template_files

        resolve_template_files(self)

    @staticmethod
    def xcom_push(context: Any, key: str, value: Any) -> None:
        """Push an XCom of the running task instance."""
        context["ti"].xcom_push(key=key, value=value)

    @staticmethod
    def xcom_pull(context: Any, task_ids: Any = None, **kwargs: Any) -> Any:
        """Pull XComs as ``ti.xcom_pull`` does."""
        return context["ti"].xcom_pull(task_ids=task_ids, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> BaseOperator:
        # Functions, DAG and group are shared: a copied task stays in the same graph until
        # whoever copied it says otherwise.
        other = type(self).__new__(type(self))
        memo[id(self)] = other
        shared = {"_dag", "task_group", "python_callable", *self.shallow_copy_attrs}
        for name, value in self.__dict__.items():
            other.__dict__[name] = value if name in shared else copy.deepcopy(value, memo)
        return other


def _note_asset(operator: BaseOperator, other: Any, where: str) -> BaseOperator:
    assets = other if isinstance(other, (list, tuple)) else [other]
    if any(isinstance(asset, DAGNode) for asset in assets):
        raise InvalidArgumentError("> and < link a task to assets, not to tasks: use >> and <<")
    getattr(operator, where).extend(assets)
    return operator


class BaseAsyncOperator(BaseOperator):
    """An operator whose work is ``async def aexecute(context)``."""

    async def aexecute(self, context: Any) -> Any:
        """Do the work."""
        raise NotImplementedError

    def execute(self, context: Any) -> Any:
        """Run ``aexecute`` on an event loop of its own."""
        import asyncio

        return asyncio.run(self.aexecute(context))
