"""What a plain task and a mapped task have in common: a place in the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from .dag_node import DAGNode, nodes_of
from .exceptions import InvalidUseError, InvalidValueError, TaskNotFound
from .setup_teardown import SetupTeardownContext, close_scope, open_scope
from .weight_rules import WeightRule, clamp
from .xcom_arg import XComArg

if TYPE_CHECKING:
    from .dag import DAG
    from .task_group import MappedTaskGroup, TaskGroup

TEARDOWN_TRIGGER_RULE = "all_done_setup_success"


class AbstractOperator(DAGNode):
    """A task in a DAG, mapped or not."""

    task_id: str
    upstream_task_ids: set[str]
    downstream_task_ids: set[str]
    _dag: Any
    priority_weight: int
    weight_rule: Any
    trigger_rule: Any
    #: Whether tasks of this class have their own ``expand``.
    is_mapped: ClassVar[bool] = False
    is_setup: bool = False
    is_teardown: bool = False
    _on_failure_fail_dagrun: bool = False
    #: Whether a task of this class never does anything (``EmptyOperator``).
    _is_empty: bool = False
    #: Whether a task of this class may write ``skipmixin_key``.
    _can_skip_downstream: bool = False

    @property
    def node_id(self) -> str:
        return self.task_id

    @property
    def roots(self) -> Sequence[DAGNode]:
        return [self]

    @property
    def leaves(self) -> Sequence[DAGNode]:
        return [self]

    @property
    def inherits_from_empty_operator(self) -> bool:
        """Whether the task never does anything."""
        return self._is_empty

    @property
    def inherits_from_skipmixin(self) -> bool:
        """Whether the task may skip others."""
        return self._can_skip_downstream

    @property
    def task_display_name(self) -> str:
        """The name that pages show."""
        return getattr(self, "_task_display_name", None) or self.label

    @property
    def dag(self) -> Any:
        """The DAG of the task, None where it has none yet."""
        return self._dag

    @dag.setter
    def dag(self, dag: Any) -> None:
        if dag is self._dag:
            return
        if self._dag is not None:
            raise InvalidValueError(
                f"the task {self.task_id!r} already belongs to the DAG {self.dag_id!r}"
            )
        self._dag = dag
        if dag is not None:
            if self.task_group is None:
                self.task_group = dag.task_group
                dag.task_group.add(self)
            dag.add_task(self)

    @property
    def output(self) -> XComArg:
        """The task's result, to be passed to other tasks."""
        return XComArg(self)

    # --- relatives ---------------------------------------------------------------------------

    def _own_dag(self) -> DAG:
        if self.dag is None:
            raise InvalidValueError(f"the task {self.task_id!r} belongs to no DAG yet")
        dag: DAG = self.dag
        return dag

    def get_direct_relative_ids(self, upstream: bool = False) -> set[str]:
        """Return the ids of the tasks directly before, or after, this one."""
        return self.upstream_task_ids if upstream else self.downstream_task_ids

    def get_direct_relatives(self, upstream: bool = False) -> list[AbstractOperator]:
        """Return the tasks directly before, or after, this one, in order of their ids."""
        ids = self.get_direct_relative_ids(upstream)
        if not ids:
            return []
        dag = self._own_dag()
        return [dag.get_task(task_id) for task_id in sorted(ids)]

    @property
    def upstream_list(self) -> list[AbstractOperator]:
        """The tasks directly before this one."""
        return self.get_direct_relatives(upstream=True)

    @property
    def downstream_list(self) -> list[AbstractOperator]:
        """The tasks directly after this one."""
        return self.get_direct_relatives(upstream=False)

    def get_flat_relative_ids(self, *, upstream: bool = False) -> set[str]:
        """Return the ids of all tasks before, or after, this one."""
        if self.dag is None:
            return set()
        task_dict = self.dag.task_dict
        found: set[str] = set()
        to_visit = list(self.get_direct_relative_ids(upstream))
        while to_visit:
            task_id = to_visit.pop()
            if task_id not in found:
                if task_id not in task_dict:
                    raise TaskNotFound(f"the DAG {self.dag_id!r} has no task {task_id!r}")
                found.add(task_id)
                to_visit.extend(task_dict[task_id].get_direct_relative_ids(upstream))
        return found

    def get_flat_relatives(self, upstream: bool = False) -> list[AbstractOperator]:
        """Return all tasks before, or after, this one, in order of their ids."""
        ids = sorted(self.get_flat_relative_ids(upstream=upstream))
        return [self._own_dag().get_task(task_id) for task_id in ids]

    def iter_mapped_task_groups(self) -> Iterator[MappedTaskGroup]:
        """Return the mapped groups around this task, innermost first."""
        group: TaskGroup | None = self.task_group
        return iter(()) if group is None else group.iter_mapped_task_groups()

    def get_closest_mapped_task_group(self) -> MappedTaskGroup | None:
        """Return the innermost mapped group around this task."""
        return next(self.iter_mapped_task_groups(), None)

    def get_needs_expansion(self) -> bool:
        """Tell whether the task has map indexes: by itself, or through a group."""
        return self.is_mapped or self.get_closest_mapped_task_group() is not None

    # --- weight ------------------------------------------------------------------------------

    @property
    def priority_weight_total(self) -> int:
        """The effective weight (semantics section 5.9). A user's own strategy is not asked."""
        own = self.priority_weight
        rule = self.weight_rule
        if self.dag is None or rule not in (WeightRule.UPSTREAM, WeightRule.DOWNSTREAM):
            return clamp(own)
        ids = self.get_flat_relative_ids(upstream=rule == WeightRule.UPSTREAM)
        return clamp(own + sum(self.dag.task_dict[id_].priority_weight for id_ in ids))

    # --- setup and teardown ------------------------------------------------------------------

    @property
    def on_failure_fail_dagrun(self) -> bool:
        """Whether the failure of this teardown fails the run."""
        return self._on_failure_fail_dagrun

    @on_failure_fail_dagrun.setter
    def on_failure_fail_dagrun(self, value: bool) -> None:
        if value and not self.is_teardown:
            raise InvalidValueError(
                f"on_failure_fail_dagrun may only be set on a teardown, "
                f"and {self.task_id!r} is none"
            )
        self._on_failure_fail_dagrun = value

    def as_setup(self) -> AbstractOperator:
        """Mark the task as a setup.

        Raises:
            ValueError: it is a teardown.
        """
        if self.is_teardown:
            raise InvalidValueError(f"the teardown {self.task_id!r} cannot be a setup as well")
        self.is_setup = True
        return self

    def as_teardown(
        self, *, setups: Any = None, on_failure_fail_dagrun: bool | None = None
    ) -> AbstractOperator:
        """Mark the task as the teardown of *setups*, which become setups before it.

        Raises:
            ValueError: it is a setup.
        """
        if self.is_setup:
            raise InvalidValueError(f"the setup {self.task_id!r} cannot be a teardown as well")
        self.is_teardown = True
        self._set_trigger_rule(TEARDOWN_TRIGGER_RULE)
        if on_failure_fail_dagrun is not None:
            self.on_failure_fail_dagrun = on_failure_fail_dagrun
        if setups is not None:
            for setup in nodes_of(setups):
                setup.as_setup()
                setup.set_downstream(self)
        return self

    def _set_trigger_rule(self, rule: str) -> None:
        from .trigger_rules import TriggerRule

        self.trigger_rule = TriggerRule(rule)

    def __enter__(self) -> type[SetupTeardownContext]:
        if not self.is_setup and not self.is_teardown:
            raise InvalidUseError(
                f"the task {self.task_id!r} of the DAG {self.dag_id!r} is no setup or teardown, "
                "and only these can be used as context managers: mark it with as_setup() or "
                "as_teardown()"
            )
        open_scope(self)
        return SetupTeardownContext

    def __exit__(self, *exc_info: object) -> None:
        close_scope()
