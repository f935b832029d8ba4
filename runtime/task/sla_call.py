"""Tells of missed SLAs: the DAG's ``sla_miss_callback``, and a mail (semantics section 10.4)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...sdk.timezone import coerce_datetime
from .callbacks import callbacks_of

if TYPE_CHECKING:
    from ...sdk.dag import DAG

log = logging.getLogger("tradewind.task")


@dataclass(frozen=True)
class SlaMiss:
    """One miss, as callbacks get it."""

    dag_id: str
    task_id: str
    execution_date: datetime
    timestamp: datetime


@dataclass(frozen=True)
class BlockingTaskInstance:
    """A task instance of a late run that has not succeeded."""

    dag_id: str
    task_id: str
    execution_date: datetime
    state: str | None


def tell_of_slas(dag: DAG, told: Mapping[str, Any]) -> None:
    """Call the callbacks, then send one mail to the addresses of the tasks.

    Raises:
        OSError: the mail cannot be sent; a callback that raises is logged.
    """
    at = coerce_datetime(datetime.fromisoformat(told["at"]))
    misses = [SlaMiss(dag.dag_id, id_, _instant(date), at) for id_, date in told["missed"]]
    blocking = [
        BlockingTaskInstance(dag.dag_id, id_, _instant(date), None if state == "none" else state)
        for id_, date, state in told["blocking"]
    ]
    task_list = _listed(misses)
    blocking_list = _listed(blocking)
    callback: Any
    for callback in callbacks_of(dag.sla_miss_callback):
        try:
            callback(dag, task_list, blocking_list, misses, blocking)
        except (Exception, SystemExit):  # user code: the mail is sent all the same
            log.exception("sla_miss_callback failed")
    if told["addresses"]:
        from html import escape

        from ...operators import mail  # late: few DAGs send any

        mail.send_email(
            told["addresses"],
            f"[airflow] SLA miss on DAG={dag.dag_id}",
            f"Here's a list of tasks that missed their SLAs:<pre>{escape(task_list)}</pre>"
            f"Blocking tasks:<pre>{escape(blocking_list)}</pre>",
        )


def _instant(text: str) -> datetime:
    found: datetime = coerce_datetime(datetime.fromisoformat(text))
    return found


def _listed(several: list[Any]) -> str:
    return "\n".join(f"{one.task_id} on {one.execution_date.isoformat()}" for one in several)
