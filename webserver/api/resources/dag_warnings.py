"""Warnings: what is wrong with DAGs that load well."""

from __future__ import annotations

from typing import Any

from ....control.dag_warnings import KINDS, find_warnings
from ....database.listings import Where
from .. import system_answers as s
from ..call import Call
from ..errors import ApiError, InvalidField
from ..operation import PAGE, Face, Query, operation, order

#: DAGs that are looked at; a list of more is to be asked for DAG by DAG.
DAGS_MAX = 1000
_ORDERS = {
    "dag_id": lambda one: one.dag_id,
    "warning_type": lambda one: one.kind,
    "message": lambda one: one.message,
    "timestamp": lambda one: one.at,
}


@operation(
    "GET",
    "read",
    v1=Face(
        "get_dag_warnings",
        "/dagWarnings",
        (*PAGE, Query("dag_id"), Query("warning_type"), order(is_list=False)),
        answer=s.DagWarningCollection,
        tag="DagWarning",
    ),
    v2=Face(
        "list_dag_warnings",
        "/dagWarnings",
        (*PAGE, Query("dag_id"), Query("warning_type"), order()),
        answer=s.DAGWarningCollectionResponse,
        tag="DagWarning",
    ),
)
def get_dag_warnings(call: Call) -> Any:
    """List what is to be mended in DAGs."""
    kind = call.query["warning_type"]
    if kind is not None and kind not in (*KINDS, "runtime varying value"):
        text = f"warning_type: {kind!r} is none of {', '.join(KINDS)}"
        raise InvalidField("enum", ("query", "warning_type"), text, kind)
    where = [Where("is_active", "in", [True])]
    if call.query["dag_id"] is not None:
        where.append(Where("dag_id", "in", [call.query["dag_id"]]))
    rows = call.store.listings.dags(where, ["dag_id"], DAGS_MAX, 0).rows
    found = [one for one in find_warnings(call.services, rows) if kind in (None, one.kind)]
    for asked in reversed(call.order("dag_id")):
        key = _ORDERS.get(asked.removeprefix("-"))
        if key is None:
            raise ApiError(400, f"There is no ordering by {asked.removeprefix('-')!r}.")
        found.sort(key=key, reverse=asked.startswith("-"))
    limit, offset = call.window()
    shown: list[Any] = []
    for one in found[offset : offset + limit]:
        fields: dict[str, Any] = {
            "dag_id": one.dag_id,
            "warning_type": one.kind,
            "message": one.message,
            "timestamp": one.at,
        }
        if call.version == 1:
            shown.append(s.DagWarning(**fields))
        else:
            name = one.dag_display_name or one.dag_id
            shown.append(s.DAGWarningResponse(**fields, dag_display_name=name))
    if call.version == 1:
        return s.DagWarningCollection(dag_warnings=shown, total_entries=len(found))
    return s.DAGWarningCollectionResponse(dag_warnings=shown, total_entries=len(found))
