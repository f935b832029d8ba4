"""What can be asked of workers through the broker, from any machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...sdk.errors import TradewindError
from .message import PING_QUEUE_PREFIX

if TYPE_CHECKING:
    from celery import Celery

#: How long answers are waited for, in seconds.
ANSWER_TIMEOUT_S = 1.5


class WorkerNotFound(TradewindError):
    """No worker of this name answers."""


def list_workers(app: Celery) -> list[tuple[str, list[str]]]:
    """Return the workers that answer: name, queues."""
    found = app.control.inspect(timeout=ANSWER_TIMEOUT_S).active_queues() or {}
    return sorted(
        (
            name,
            sorted(
                queue["name"]
                for queue in queues
                if not str(queue["name"]).startswith(PING_QUEUE_PREFIX)
            ),
        )
        for name, queues in found.items()
    )


def shutdown(app: Celery, names: Sequence[str] | None) -> None:
    """Tell workers to take nothing new and end when their tasks have; None: all.

    Raises:
        WorkerNotFound: a named one does not answer.
    """
    if names is not None:
        _require(app, names)
    app.control.shutdown(destination=None if names is None else list(names))


def add_queues(app: Celery, name: str, queues: Sequence[str]) -> None:
    """Let a running worker listen to more queues.

    Raises:
        WorkerNotFound: it does not answer.
    """
    _require(app, [name])
    for queue in queues:
        app.control.add_consumer(queue, destination=[name], reply=True, timeout=ANSWER_TIMEOUT_S)


def remove_queues(app: Celery, name: str, queues: Sequence[str] | None) -> list[str]:
    """Let a running worker stop listening to queues (None: to all); return which.

    Raises:
        WorkerNotFound: it does not answer.
    """
    _require(app, [name])
    gone = list(queues) if queues is not None else dict(list_workers(app)).get(name, [])
    for queue in gone:
        app.control.cancel_consumer(queue, destination=[name], reply=True, timeout=ANSWER_TIMEOUT_S)
    return gone


def _require(app: Celery, names: Sequence[str]) -> None:
    for name in names:
        if not app.control.ping(destination=[name], timeout=ANSWER_TIMEOUT_S):
            raise WorkerNotFound(f"No worker named {name} answers; see: celery list-workers")
