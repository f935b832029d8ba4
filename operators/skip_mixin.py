"""What branches and short circuits share: skipping tasks below (semantics section 5.5).

A skip is told twice: the XCom ``skipmixin_key`` says what to skip again when a task below is
cleared, and ``ti.skip_task_ids`` goes with the result, to be applied with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..sdk.context import get_current_context
from ..sdk.exceptions import AirflowException

if TYPE_CHECKING:
    from ..sdk.task_instance import RuntimeTaskInstance

XCOM_SKIPMIXIN_KEY = "skipmixin_key"
XCOM_SKIPMIXIN_FOLLOWED = "followed"
XCOM_SKIPMIXIN_SKIPPED = "skipped"


class SkipMixin:
    """For operators that skip tasks below them."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Set on each class: in the usual order of bases BaseOperator's False would be found first.
        cls._can_skip_downstream = True  # type: ignore[attr-defined]

    def skip(self, ti: Any = None, tasks: Iterable[Any] = (), *args: Any, **kwargs: Any) -> None:
        """Skip *tasks*: direct downstream ones also when they are cleared.

        Args:
            ti: ignored (a task instance in Airflow 3, a dag run in 2): the running one counts.
            tasks: tasks or ids of tasks.
        """
        chosen = kwargs.get("tasks", tasks)
        ids = [task if isinstance(task, str) else task.task_id for task in chosen]
        if ids:
            note_skip(get_current_context()["ti"], {XCOM_SKIPMIXIN_SKIPPED: ids}, ids)

    def skip_all_except(self, ti: Any, branch_task_ids: str | Iterable[str] | None) -> None:
        """Skip every direct downstream task that is neither chosen nor below a chosen one.

        Raises:
            AirflowException: something that is not the id of a task or group of the DAG.
        """
        current = get_current_context()["ti"]
        chosen = _chosen_task_ids(current, branch_task_ids)
        dag = current.task.dag
        reachable = set(chosen)
        for task_id in chosen:
            reachable |= dag.get_task(task_id).get_flat_relative_ids(upstream=False)
        direct = sorted(current.task.downstream_task_ids)
        followed = [task_id for task_id in direct if task_id in reachable]
        skipped = [task_id for task_id in direct if task_id not in reachable]
        current.log.info("Following %s, skipping %s", followed, skipped)
        note_skip(current, {XCOM_SKIPMIXIN_FOLLOWED: followed}, skipped)


class BranchMixIn(SkipMixin):
    """For operators that choose which way to go on."""

    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        """Skip what was not chosen; return what was."""
        if branches_to_execute is not None and not isinstance(branches_to_execute, (str, list)):
            branches_to_execute = _as_list(branches_to_execute)
        self.skip_all_except(context["ti"], branches_to_execute)
        return branches_to_execute

    def expand_task_group_roots(self, ti: Any, branches: Any) -> Iterable[str]:
        """Return the ids of tasks: of the first tasks where a group was chosen."""
        return _chosen_task_ids(ti, branches)


def note_skip(ti: RuntimeTaskInstance, mark: dict[str, Any], task_ids: Sequence[str]) -> None:
    """Let the result of the running task carry a skip.

    An instance of a mapped task skips through the XCom only: the tasks below have one instance
    for each of its indexes, or wait for all of them.
    """
    ti.pending_xcoms[XCOM_SKIPMIXIN_KEY] = mark
    if ti.map_index < 0:
        ti.skip_task_ids = sorted({*ti.skip_task_ids, *task_ids})


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, Iterable):
        return list(value)
    raise AirflowException(
        "a branch is chosen by the id of a task, by several of them, or by None; "
        f"a {type(value).__name__} is neither"
    )


def _chosen_task_ids(ti: Any, branches: Any) -> list[str]:
    if branches is None:
        return []
    wanted = [branches] if isinstance(branches, str) else _as_list(branches)
    wrong = [value for value in wanted if not isinstance(value, str)]
    if wrong:
        raise AirflowException(
            f"a branch is chosen by ids of tasks, which are texts; got {wrong!r}"
        )
    dag = ti.task.dag
    groups = dag.task_group_dict
    ids: list[str] = []
    for name in wanted:
        if name in dag.task_dict:
            ids.append(name)
        elif name in groups:
            ids.extend(root.task_id for root in groups[name].get_roots())
        else:
            raise AirflowException(
                f"the branch {ti.task_id!r} chose {name!r}, but the DAG {dag.dag_id!r} has neither "
                "a task nor a task group of that id"
            )
    return ids
