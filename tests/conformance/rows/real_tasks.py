"""Executes what a world claims: real operators, whose questions a real store answers."""

from __future__ import annotations

import logging
from typing import Any

from row_world import World
from tradewind.database.values import Claim, ClaimRequest
from tradewind.runtime.supervise.processes import TaskEnded
from tradewind.runtime.supervise.requests import answer, scope_of
from tradewind.runtime.supervise.task_order import spec_of
from tradewind.runtime.supervise.verdict import AttemptFacts, judge
from tradewind.runtime.task.client import RequestRefused, SocketRuntime
from tradewind.runtime.task.execute import execute_task
from tradewind.sdk.dag import DAG
from tradewind.sdk import timezone


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
