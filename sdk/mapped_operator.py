"""``Op.partial(...).expand(...)``: one task, as many instances as there are values.

Rules: semantics section 3.5. A mapped task keeps what BaseOperator says about a task in a
*prototype*, so that all its arguments are read by the same rules as those of a plain task.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from . import operator_arguments, setup_teardown
from .abstract_operator import AbstractOperator
from .base_operator import BaseOperator
from .exceptions import InvalidArgumentError, InvalidValueError
from .expand_inputs import (
    DictOfListsExpandInput,
    ExpandInput,
    ListOfDictsExpandInput,
    check_expand_kwargs,
    check_mappable,
)
from .operator_construction import (
    Construction,
    construct,
    parameters_of,
    resolve_construction,
)
from .operator_link import links_of
from .xcom_arg import XComArg

if TYPE_CHECKING:
    from .dag import DAG

#: Arguments of BaseOperator that may be mapped; all others belong to the task as a whole.
_MAPPABLE_BASE_ARGUMENTS = frozenset(
    {"params", "do_xcom_push", "pool", "doc", "doc_md", "doc_json", "doc_yaml", "doc_rst"}
)
_PLACES = frozenset({"task_id", "dag", "task_group", "default_args"})
_base_parameters: frozenset[str] = frozenset()


def base_parameters() -> frozenset[str]:
    """Return the names of BaseOperator's own arguments."""
    global _base_parameters
    if not _base_parameters:
        _base_parameters = parameters_of(BaseOperator)
    return _base_parameters


def operator_partial(
    operator_class: type[BaseOperator], *, task_id: str, **kwargs: Any
) -> OperatorPartial:
    """Fix arguments of *operator_class*. Raises TypeError for one that it does not take."""
    known = parameters_of(operator_class)
    unknown = sorted(set(kwargs) - known - operator_arguments.IGNORED_ARGUMENTS)
    if unknown:
        raise InvalidArgumentError(
            f"{operator_class.__name__}.partial() does not take {', '.join(map(repr, unknown))}"
        )
    construction = resolve_construction(
        kwargs.get("dag"), kwargs.get("task_group"), kwargs.get("default_args")
    )
    own = {name: value for name, value in kwargs.items() if name not in _PLACES}
    merged = {
        name: value
        for name, value in construction.default_args.items()
        if name in known and name not in _PLACES and name not in own
    }
    return OperatorPartial(operator_class, task_id, {**merged, **own}, construction)


class OperatorPartial:
    """An operator class with some arguments fixed, waiting for ``expand``."""

    def __init__(
        self,
        operator_class: type[BaseOperator],
        task_id: str,
        kwargs: dict[str, Any],
        construction: Construction,
    ) -> None:
        self.operator_class = operator_class
        self.task_id = task_id
        self.kwargs = kwargs
        self._construction = construction
        self._is_expanded = False

    def __repr__(self) -> str:
        return f"{self.operator_class.__name__}.partial(task_id={self.task_id!r})"

    def __del__(self) -> None:
        if not getattr(self, "_is_expanded", True):
            warnings.warn(f"{self!r} was never expanded, so it is no task", stacklevel=2)

    def expand(self, **mapped_kwargs: Any) -> MappedOperator:
        """Map these arguments: an instance for each combination, the last argument fastest.

        Raises:
            TypeError: none or an unknown argument, or one that cannot be mapped.
            ValueError: a value that has no elements.
        """
        self._is_expanded = True  # also where the call is refused: one error is enough
        if not mapped_kwargs:
            raise InvalidArgumentError("expand() needs at least one argument to map")
        self._check_names(mapped_kwargs)
        for name, value in mapped_kwargs.items():
            check_mappable(name, value, self.task_id)
        return self._make(DictOfListsExpandInput(mapped_kwargs), is_strict=True)

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> MappedOperator:
        """Map over dicts of arguments: one instance for each.

        Args:
            strict: refuse, at run time, an argument that ``partial`` fixed; else it is replaced.

        Raises:
            TypeError: neither a list of dicts nor a task's result.
        """
        self._is_expanded = True
        check_expand_kwargs(kwargs)
        return self._make(ListOfDictsExpandInput(kwargs), is_strict=strict)

    def _check_names(self, mapped_kwargs: Mapping[str, Any]) -> None:
        known = parameters_of(self.operator_class)
        fixed = base_parameters() - _MAPPABLE_BASE_ARGUMENTS
        for name in mapped_kwargs:
            if name not in known:
                raise InvalidArgumentError(f"{self!r} has no argument {name!r} to map")
            if name in fixed or name in self.kwargs:
                raise InvalidArgumentError(f"{self!r} cannot map {name!r}: it is fixed")

    def _make(self, expand_input: ExpandInput, *, is_strict: bool) -> MappedOperator:
        return MappedOperator(
            operator_class=self.operator_class,
            task_id=self.task_id,
            partial_kwargs=self.kwargs,
            expand_input=expand_input,
            construction=self._construction,
            is_strict=is_strict,
        )


#: What ``unmap`` gives to instances by itself.
_SET_ON_INSTANCES = frozenset(
    {"task_id", "dag", "task_group", "start_date", "end_date", "trigger_rule", "params"}
)


class MappedOperator(AbstractOperator):
    """A task that has one instance for each index of its expand input."""

    is_mapped: ClassVar[bool] = True

    def __init__(
        self,
        *,
        operator_class: type[BaseOperator],
        task_id: str,
        partial_kwargs: dict[str, Any],
        expand_input: ExpandInput,
        construction: Construction,
        is_strict: bool = True,
        expand_input_attr: str = "expand_input",
    ) -> None:
        self.operator_class = operator_class
        self.partial_kwargs = partial_kwargs
        self.expand_input = expand_input
        self._disallow_kwargs_override = is_strict
        self._expand_input_attr = expand_input_attr
        self._default_params = construction.default_params
        self.task_group = construction.task_group
        self._dag: DAG | None = None
        if self.task_group is not None:
            task_id = self.task_group.child_id(task_id)
        operator_arguments.validate_key(task_id)
        self.task_id = task_id
        self.upstream_task_ids: set[str] = set()
        self.downstream_task_ids: set[str] = set()
        # The prototype is placed in the DAG for dialect and params, but never joins it.
        self._prototype: BaseOperator = construct(
            BaseOperator,
            {
                "task_id": task_id,
                **{k: v for k, v in partial_kwargs.items() if k in base_parameters()},
            },
            Construction(
                dag=construction.dag,
                dag_params=construction.dag_params,
                default_params=construction.default_params,
                is_detached=True,
            ),
        )
        self._check_place()
        if self.task_group is not None:
            self.task_group.add(self)
        if construction.dag is not None:
            construction.dag.add_task(self)
        setup_teardown.note_task(self)
        for value in (*partial_kwargs.values(), *self._referring_values()):
            XComArg.apply_upstream_relationship(self, value)
        for operator, _ in expand_input.iter_references():
            self.set_upstream(operator)

    def _referring_values(self) -> Iterable[Any]:
        return ()

    def _check_place(self) -> None:
        group = self.get_closest_mapped_task_group()
        if group is not None:
            raise NotImplementedError(
                f"the task {self.task_id!r} cannot be mapped: "
                f"it is in the mapped group {group.group_id!r}"
            )
        if str(self.trigger_rule) == "always" and not self.expand_input.has_literal_length:
            raise InvalidValueError(
                f"the task {self.task_id!r} is mapped over results, "
                "so it cannot have the trigger rule 'always'"
            )

    # --- what the task is --------------------------------------------------------------------

    @property
    def task_type(self) -> str:
        """The name of the operator's class."""
        return self.operator_class.__name__

    @property
    def operator_name(self) -> str:
        """What pages call the operator."""
        return getattr(self.operator_class, "custom_operator_name", None) or self.task_type

    @property
    def task_display_name(self) -> str:
        return self._prototype._task_display_name or self.label

    @property
    def extra_links(self) -> list[str]:
        """Names of the operator's links."""
        return sorted(links_of(self.operator_class))

    @property
    def extra_link_keys(self) -> dict[str, str]:
        """Names of the buttons → XCom keys under which their addresses are kept."""
        return {name: link.xcom_key for name, link in sorted(links_of(self.operator_class).items())}

    @property
    def _is_empty(self) -> bool:  # type: ignore[override]
        return self.operator_class._is_empty

    @property
    def _can_skip_downstream(self) -> bool:  # type: ignore[override]
        return self.operator_class._can_skip_downstream

    def __getattr__(self, name: str) -> Any:
        # Only asked for what is not set above: the task's arguments, then its class's attributes.
        if name.startswith("__") or name in ("_prototype", "operator_class", "partial_kwargs"):
            raise AttributeError(name)
        prototype = self.__dict__.get("_prototype")
        if prototype is not None and name in prototype.__dict__:
            return prototype.__dict__[name]
        if name in self.partial_kwargs:
            return self.partial_kwargs[name]
        value = getattr(self.operator_class, name)
        if isinstance(value, property) or (callable(value) and not isinstance(value, type)):
            raise AttributeError(f"a mapped task has no {name!r}: its instances have")
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        prototype = self.__dict__.get("_prototype")
        if prototype is not None and name in prototype.__dict__:
            if name not in self.__dict__:
                prototype.__dict__[name] = value
            if name in base_parameters() and name not in _SET_ON_INSTANCES:
                # As if it stood in partial(): a cluster policy means the instances, too.
                object.__setattr__(self, "partial_kwargs", {**self.partial_kwargs, name: value})
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"<Mapped({self.task_type}): {self.task_id}>"

    # --- instances ---------------------------------------------------------------------------

    def iter_mapped_dependencies(self) -> Iterable[AbstractOperator]:
        """Yield the tasks whose results this is mapped over."""
        seen: set[str] = set()
        for operator, _ in self.expand_input.iter_references():
            if operator.task_id not in seen:
                seen.add(operator.task_id)
                yield operator

    def resolve_mapped_kwargs(
        self, context: Mapping[str, Any], map_index: int
    ) -> tuple[dict[str, Any], set[int]]:
        """Return the mapped arguments of one instance.

        Also the ``id()`` of those that came from task results: they must not be rendered.
        """
        return self.expand_input.resolve(context, map_index)

    def unmap(self, resolved_kwargs: Mapping[str, Any] | None = None) -> BaseOperator:
        """Build the operator of one instance.

        Raises:
            TypeError: ``expand_kwargs`` gave an argument that ``partial`` fixed.
        """
        kwargs = self._instance_kwargs(dict(resolved_kwargs or {}))
        kwargs.setdefault("task_id", self.task_id)
        construction = Construction(
            dag=self._dag,
            task_group=self.task_group,
            dag_params=self._dag.params if self._dag is not None else {},
            default_params=self._default_params,
            is_detached=True,
        )
        operator: BaseOperator = construct(self.operator_class, kwargs, construction)
        operator.task_id = self.task_id
        operator.upstream_task_ids = set(self.upstream_task_ids)
        operator.downstream_task_ids = set(self.downstream_task_ids)
        operator.is_setup = self.is_setup
        operator.is_teardown = self.is_teardown
        operator._on_failure_fail_dagrun = self._on_failure_fail_dagrun
        operator.trigger_rule = self.trigger_rule
        operator.__dict__["start_date"] = self.start_date
        operator.__dict__["end_date"] = self.end_date
        return operator

    def _instance_kwargs(self, resolved: dict[str, Any]) -> dict[str, Any]:
        self._refuse_override(resolved, self.partial_kwargs)
        params = {
            **dict((self.partial_kwargs.get("params") or {}).items()),
            **dict((resolved.get("params") or {}).items()),
        }
        kwargs = {**self.partial_kwargs, **resolved}
        return {**kwargs, "params": params} if params else kwargs

    def _refuse_override(self, resolved: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
        if not self._disallow_kwargs_override:
            return
        doubled = sorted((resolved.keys() & fixed.keys()) - {"params"})
        if doubled:
            names = ", ".join(map(repr, doubled))
            raise InvalidArgumentError(
                f"{self.task_id!r} got {names} both from partial() and from expand_kwargs()"
            )

    def __deepcopy__(self, memo: dict[int, Any]) -> MappedOperator:
        other = type(self).__new__(type(self))
        memo[id(self)] = other
        for name, value in self.__dict__.items():
            is_shared = name in ("_dag", "task_group", "operator_class")
            other.__dict__[name] = value if is_shared else copy.deepcopy(value, memo)
        return other

    def prepare_for_execution(self) -> MappedOperator:
        """Return the task itself: its instances are copies."""
        return self
