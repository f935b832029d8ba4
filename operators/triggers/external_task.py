"""Triggers that watch task instances, or runs, of other DAGs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from ...sdk.triggers import BaseTrigger, TriggerEvent
from ..external_states import ExternalStates


class WorkflowTrigger(BaseTrigger):
    """Fires once what it watches has reached one of the given states.

    Its payload's ``status`` is ``success``, ``failed`` or ``skipped``.

    Args:
        logical_dates (``execution_dates``): of the runs that are watched.
        poke_interval: seconds between two looks.
    """

    def __init__(
        self,
        external_dag_id: str,
        run_ids: Sequence[str] | None = None,
        execution_dates: Sequence[datetime] | None = None,
        logical_dates: Sequence[datetime] | None = None,
        external_task_ids: Sequence[str] | None = None,
        external_task_group_id: str | None = None,
        failed_states: Sequence[str] | None = None,
        skipped_states: Sequence[str] | None = None,
        allowed_states: Sequence[str] | None = None,
        poke_interval: float = 2.0,
        soft_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.external_dag_id = external_dag_id
        self.run_ids = run_ids
        self.logical_dates = logical_dates if logical_dates is not None else execution_dates
        self.external_task_ids = external_task_ids
        self.external_task_group_id = external_task_group_id
        self.failed_states = failed_states
        self.skipped_states = skipped_states
        self.allowed_states = allowed_states
        self.poke_interval = poke_interval
        self.soft_fail = soft_fail

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        names = (
            "external_dag_id",
            "run_ids",
            "logical_dates",
            "external_task_ids",
            "external_task_group_id",
            "failed_states",
            "skipped_states",
            "allowed_states",
            "poke_interval",
            "soft_fail",
        )
        return f"{__name__}.WorkflowTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again."""
        states = ExternalStates(
            dag_id=self.external_dag_id,
            task_ids=self.external_task_ids,
            task_group_id=self.external_task_group_id,
            logical_dates=self.logical_dates,
            run_ids=self.run_ids,
        )
        while True:
            verdict = await asyncio.to_thread(
                states.judge,
                failed=self.failed_states or (),
                skipped=self.skipped_states or (),
                allowed=self.allowed_states or ("success",),
            )
            if verdict is not None:
                yield TriggerEvent({"status": verdict})
                return
            await asyncio.sleep(self.poke_interval)


class DagStateTrigger(BaseTrigger):
    """Fires once the runs that it watches are in one of *states*."""

    def __init__(
        self,
        dag_id: str,
        states: Sequence[str],
        run_ids: Sequence[str] | None = None,
        execution_dates: Sequence[datetime] | None = None,
        poll_interval: float = 5.0,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.dag_id = dag_id
        self.states = [str(state) for state in states]
        self.run_ids = run_ids
        self.execution_dates = execution_dates
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        names = ("dag_id", "states", "run_ids", "execution_dates", "poll_interval")
        return f"{__name__}.DagStateTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again; the payload names the run and its state."""
        runs = ExternalStates(
            dag_id=self.dag_id, logical_dates=self.execution_dates, run_ids=self.run_ids
        )
        while await asyncio.to_thread(runs.judge, allowed=self.states) is None:
            await asyncio.sleep(self.poll_interval)
        data: dict[str, Any] = {"dag_id": self.dag_id, "run_ids": self.run_ids}
        if self.run_ids and len(self.run_ids) == 1:
            data["run_state"] = await asyncio.to_thread(runs.state_of_run, self.run_ids[0])
        yield TriggerEvent((self.serialize()[0], {**self.serialize()[1], **data}))
