"""The trigger that waits for the answer of a person (semantics section 7.9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ...sdk import task_runtime, timezone, xcom_serialization
from ...sdk.exceptions import InvalidUseError
from ...sdk.human_input import ANSWER_KEY
from ...sdk.triggers import BaseTrigger, TriggerEvent


class HITLTrigger(BaseTrigger):
    """Fires when somebody has answered, or nobody has in time.

    Args:
        where: dag_id, run_id, task_id and map_index of the task that waits.
        defaults: what is chosen where nobody answers in time; None: that is an error.
        timeout_at: until when; None: for ever.
        poke_interval: seconds between two looks.
    """

    def __init__(
        self,
        where: Mapping[str, Any],
        defaults: Sequence[str] | None = None,
        params: Mapping[str, Any] | None = None,
        timeout_at: datetime | None = None,
        poke_interval: float = 1.0,
    ) -> None:
        super().__init__()
        self.where = dict(where)
        self.defaults = None if defaults is None else list(defaults)
        self.params = dict(params or {})
        self.timeout_at = timeout_at
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return (
            f"{__name__}.HITLTrigger",
            {
                "where": self.where,
                "defaults": self.defaults,
                "params": self.params,
                "timeout_at": self.timeout_at,
                "poke_interval": self.poke_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again."""
        while True:
            answered = await asyncio.to_thread(self._find)
            if answered is not None:
                yield TriggerEvent(answered)
                return
            now = timezone.utcnow()
            if self.timeout_at is not None and now >= self.timeout_at:
                yield TriggerEvent(self._late(now))
                return
            await asyncio.sleep(self.poke_interval)

    def _find(self) -> Any:
        runtime = task_runtime.current
        if runtime is None:
            raise InvalidUseError("an answer can be waited for where tasks run only")
        rows = runtime.get_xcoms(
            dag_id=self.where["dag_id"],
            run_id=self.where["run_id"],
            task_ids=[self.where["task_id"]],
            key=ANSWER_KEY,
            map_indexes=[self.where["map_index"]],
            include_prior_dates=False,
        )
        return _as_event(xcom_serialization.decode(rows[0].value)) if rows else None

    def _late(self, now: datetime) -> dict[str, Any]:
        if self.defaults is None:
            return {"error_type": "timeout", "error": "nobody has answered in time"}
        return {
            "chosen_options": self.defaults,
            "params_input": self.params,
            "responded_at": timezone.plain_utc(now),
            "responded_by_user": None,
            "timedout": True,
        }


def _as_event(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a stored answer with its instant as a datetime: operators call its methods."""
    at = answer.get("responded_at")
    return {**answer, "responded_at": datetime.fromisoformat(at) if isinstance(at, str) else at}
