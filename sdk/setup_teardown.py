"""``with setup_task:`` and ``with teardown_task:``: what is created inside stands in between.

Rules: semantics section 10.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .dag_node import nodes_of
from .exceptions import InvalidUseError, InvalidValueError

if TYPE_CHECKING:
    from .abstract_operator import AbstractOperator


class _OpenScope:
    def __init__(self, setups: list[AbstractOperator], teardowns: list[AbstractOperator]) -> None:
        self.setups = setups
        self.teardowns = teardowns
        #: What was created inside.
        self.tasks: list[AbstractOperator] = []


_open_scopes: list[_OpenScope] = []


def open_scope(given: Any) -> None:
    """Begin a block around one setup or teardown, or a list of the same kind.

    Raises:
        ValueError: a task is neither, or the list mixes both kinds.
    """
    tasks: list[AbstractOperator] = list(nodes_of(given))
    if not tasks or not all(
        getattr(task, "is_setup", False) or getattr(task, "is_teardown", False) for task in tasks
    ):
        raise InvalidUseError("only setup and teardown tasks can be used as context managers")
    if len({task.is_setup for task in tasks}) > 1:
        raise InvalidValueError("setup and teardown tasks cannot be mixed in one block")
    if tasks[0].is_setup:
        _open_scopes.append(_OpenScope(tasks, _relatives(tasks, "downstream_list", "is_teardown")))
    else:
        _open_scopes.append(_OpenScope(_relatives(tasks, "upstream_list", "is_setup"), tasks))


def _relatives(tasks: list[AbstractOperator], where: str, kind: str) -> list[AbstractOperator]:
    found: dict[str, AbstractOperator] = {}
    for task in tasks:
        if task.dag is not None:
            for other in getattr(task, where):
                if getattr(other, kind):
                    found[other.task_id] = other
    return list(found.values())


def close_scope() -> None:
    """End the innermost block and draw its edges."""
    scope = _open_scopes.pop()
    kinds = {task.task_id for task in [*scope.setups, *scope.teardowns]}
    tasks = [task for task in scope.tasks if task.task_id not in kinds]
    inside = {task.task_id for task in tasks}
    for task in tasks:
        # A nested setup or teardown has its own edges; it is a member like any other.
        if scope.setups and task.upstream_task_ids.isdisjoint(inside):
            task.set_upstream(scope.setups)
        if scope.teardowns and task.downstream_task_ids.isdisjoint(inside):
            task.set_downstream(scope.teardowns)
    if _open_scopes:  # what stands in an inner block stands in the outer one too
        _open_scopes[-1].tasks.extend(scope.tasks)


def note_task(task: AbstractOperator) -> None:
    """Hear of a task that was just added to a DAG."""
    if _open_scopes:
        _open_scopes[-1].tasks.append(task)


class SetupTeardownContext:
    """Airflow's name for the open blocks; ``add_task`` puts an existing task into one."""

    active: bool = False

    @staticmethod
    def add_task(task: Any) -> None:
        """Put a task that was created before into the open block.

        Raises:
            ValueError: no block is open.
        """
        if not _open_scopes:
            raise InvalidValueError("no setup or teardown block is open")
        for node in nodes_of(task):
            note_task(node)


class ContextWrapper(list[Any]):
    """A list of setups or teardowns that can stand in a ``with`` statement."""

    def __enter__(self) -> type[SetupTeardownContext]:
        open_scope(list(self))
        return SetupTeardownContext

    def __exit__(self, *exc_info: object) -> None:
        close_scope()


context_wrapper = ContextWrapper
