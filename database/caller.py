"""Who a transaction is for: where the request came from, and whose DAGs it may see and change.

Set by the web server for each request, unset everywhere else. Enforced in this floor, below every
page and every operation of the API: a listing that somebody writes tomorrow is cut like all
others (``cut_rows``), and a write whose audit entry names a foreign DAG fails as a whole
(``check_event``). Why here: docs/decisions/0009.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..sdk.errors import TradewindError

if TYPE_CHECKING:
    from .event_writes import Event


class ForeignDag(TradewindError):
    """The person who asks may not change this DAG."""

    def __init__(self, dag_id: str) -> None:
        super().__init__(f"You may not change the DAG {dag_id!r}.")
        self.dag_id = dag_id


@dataclass(frozen=True, slots=True)
class Caller:
    """``readable`` and ``changeable``: ids of DAGs; None: all."""

    #: Address of whoever asks, for the audit log.
    address: str = ""
    readable: frozenset[str] | None = None
    changeable: frozenset[str] | None = None


caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def sees_less() -> bool:
    """Tell whether the caller may see the rows of some DAGs only."""
    now = caller.get()
    return now is not None and now.readable is not None


def check_event(event: Event) -> None:
    """Refuse an act on a DAG that the caller may not change.

    Raises:
        ForeignDag: it may not; the transaction is rolled back.
    """
    now = caller.get()
    if now is None or now.changeable is None or event.dag_id is None:
        return
    if not event.actor.startswith("user:"):
        return  # what the engine does in consequence
    if event.dag_id not in now.changeable:
        raise ForeignDag(event.dag_id)


def origin() -> dict[str, Any]:
    """Return what the audit log says about where an act came from."""
    now = caller.get()
    return {"from": now.address} if now is not None and now.address else {}
