"""Executes what a world claims: real operators, whose questions a real store answers."""

from __future__ import annotations

import logging
from typing import Any

from row_world import World
from tradewind.database.values import Claim, ClaimRequest
from tradewind.runtime.supervise.processes import TaskEnded
from tradewind.runtime.supervise.requests import answer, scope_of
from tradewind.runtime.supervise.task_order import spec_of
from tradewind.runtime.supervise.verdict import AttemptFacts, judge_end
from tradewind.runtime.task.client import RequestRefused, SocketRuntime
from tradewind.runtime.task.execute import execute_task
from tradewind.sdk import timezone
from tradewind.sdk.dag import DAG

NO_MORE = ClaimRequest("worker", "LocalExecutor", 0)


class StoreRuntime(SocketRuntime):
    """What a task asks its supervisor, asked at once."""

    def __init__(self, world: World, claim: Claim) -> None:
        self.world, self.claim = world, claim

    def send(self, message: Any) -> None:
        """Nothing that has no answer matters here."""

    def _ask(self, method: str, **arguments: Any) -> Any:
        reply = answer(method, arguments, self.world.store, scope_of(self.claim), self.world.now)
        if reply.error:
            raise RequestRefused(reply.error)
        return reply.value


def execute(world: World, *dags: DAG) -> dict[str, str]:
    """Run all tasks that can run now, of any of *dags*; return task id → outcome."""
    known = {dag.dag_id: dag for dag in dags}
    outcomes: dict[str, str] = {}
    while claims := world.claim():
        for claim in claims:
            dag = known[claim.dag_id]
            with timezone.frozen(world.now):
                result = execute_task(
                    dag=dag,
                    task=dag.get_task(claim.task_id),
                    spec=spec_of(claim, "host"),
                    runtime=StoreRuntime(world, claim),
                    log=logging.getLogger("tests.task"),
                )
            facts = AttemptFacts(claim, world.now, world.now, True, "host", "")
            ended = TaskEnded(key="", result=result, exit_code=0)
            world.store.attempts.finish([judge_end(facts, ended)], world.now, NO_MORE)
            outcomes[claim.task_id] = result.outcome
    return outcomes
