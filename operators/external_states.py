"""How far task instances, groups or runs of another DAG are (semantics section 6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..sdk import task_runtime, timezone
from ..sdk.exceptions import InvalidUseError


@dataclass(frozen=True, slots=True)
class ExternalStates:
    """What is watched: tasks, a group, or without either the runs themselves.

    Runs are named by their logical dates or by their ids.
    """

    dag_id: str
    task_ids: Sequence[str] | None = None
    task_group_id: str | None = None
    logical_dates: Sequence[datetime] | None = None
    run_ids: Sequence[str] | None = None

    def judge(
        self,
        *,
        failed: Sequence[str] = (),
        skipped: Sequence[str] = (),
        allowed: Sequence[str] = (),
    ) -> str | None:
        """Return ``failed``, ``skipped`` or ``success``; None: neither yet."""
        if failed and self.count(failed) > 0:
            return "failed"
        if skipped and self.count(skipped) > 0:
            return "skipped"
        return "success" if self.count(allowed) >= self._wanted() else None

    def _wanted(self) -> int:
        return len(self.run_ids if self.logical_dates is None else self.logical_dates) or 1  # type: ignore[arg-type]

    def count(self, states: Sequence[str]) -> float:
        """Return in how many runs what is watched is in one of *states*.

        Of several tasks each counts for its part; a group counts where all of it is.
        """
        runtime = _runtime()
        names = [str(state) for state in states]
        given = self.logical_dates
        # From a trigger's stored arguments they come back as another class.
        dates = None if given is None else [timezone.plain_utc(date) for date in given]
        runs = None if self.run_ids is None else list(self.run_ids)
        if self.task_ids:
            found = runtime.count_task_instances(
                dag_id=self.dag_id,
                task_ids=list(self.task_ids),
                task_group_id=None,
                logical_dates=dates,
                run_ids=runs,
                states=names,
                map_index=None,
            )
            return found / len(self.task_ids)
        if self.task_group_id:
            return sum(self._is_group_in(names, [date], None) for date in dates or ()) or sum(
                self._is_group_in(names, None, [run]) for run in runs or ()
            )
        return runtime.count_dag_runs(
            dag_id=self.dag_id, logical_dates=dates, run_ids=runs, states=names
        )

    def _is_group_in(
        self, states: Sequence[str], dates: Sequence[datetime] | None, runs: Sequence[str] | None
    ) -> bool:
        runtime = _runtime()
        all_of_it, in_states = (
            runtime.count_task_instances(
                dag_id=self.dag_id,
                task_ids=None,
                task_group_id=self.task_group_id,
                logical_dates=dates,
                run_ids=runs,
                states=asked,
                map_index=None,
            )
            for asked in (None, list(states))
        )
        return 0 < all_of_it == in_states

    def state_of_run(self, run_id: str) -> str | None:
        """Return the state of one run, None where there is none."""
        fields = _runtime().get_dag_run(dag_id=self.dag_id, run_id=run_id)
        return None if fields is None else str(fields.get("state"))


def _runtime() -> task_runtime.TaskRuntime:
    if task_runtime.current is None:
        raise InvalidUseError("other DAGs can be watched while a task runs only")
    return task_runtime.current
