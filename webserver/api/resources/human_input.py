"""What tasks ask people, and the answers (human in the loop; version 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ....control import answers as verbs
from ....control.input import InvalidInput
from ....database.listings import InstanceRecord, Where
from ....sdk.human_input import params_of
from ....sdk.secrets_masker import redact
from .. import filters, show_runs
from .. import task_answers_v2 as t2
from ..bodies_xcoms import UpdateHITLDetailPayload
from ..call import Call
from ..errors import ApiError, InvalidField
from ..operation import PAGE, Face, Query, bounds, operation, order, patterns, texts
from .task_instances import MAPPED, RUN, find_instance, get_try, refuse_unknown_run

if TYPE_CHECKING:
    from ....control.answers import Question

_DETAIL = f"{MAPPED}/hitlDetails"
#: Airflow's word for a task that waits for a person; here it is deferred, as it was before 3.3.
AWAITING = "awaiting_input"


@operation(
    "GET",
    "read",
    v2=Face(
        "get_hitl_details",
        f"{RUN}/hitlDetails",
        (
            *PAGE,
            *patterns("dag_id", "task_id"),
            Query("task_id"),
            Query("map_index", "integer"),
            *texts("state", "responded_by_user_id", "responded_by_user_name"),
            Query("response_received", "boolean"),
            Query("subject_search"),
            Query("body_search"),
            *bounds("created_at", is_strict=True),
            order(),
        ),
        answer=t2.HITLDetailCollection,
        errors=(400, 404),
        tag="Task Instance",
    ),
)
def get_hitl_details(call: Call) -> Any:
    """List what the tasks of a run ask people; ~ stands for all DAGs, or all runs."""
    refuse_unknown_run(call)
    query = dict(call.query)
    query["state"] = ["deferred" if one == AWAITING else one for one in query["state"]]
    where = [
        *filters.named(dag_id=call.dag_id, run_id=call.run_id),
        *filters.patterns(query, dag_id="dag_id", task_id="task_id"),
        *filters.listed(
            query,
            state="state",
            responded_by_user_id="responded_by_user_id",
            responded_by_user_name="responded_by_user_name",
        ),
        *filters.ranges(query, "created_at"),
    ]
    if query["task_id"]:
        where.append(Where("task_id", "in", [query["task_id"]]))
    if query["map_index"] is not None:
        where.append(Where("map_index", "in", [query["map_index"]]))
    for name in ("subject", "body"):
        if query[f"{name}_search"]:
            where.append(Where(name, "part", query[f"{name}_search"]))
    found = call.store.questions.list(
        where, call.order("ti_id"), *call.window(), is_answered=query["response_received"]
    )
    shown = _show(call, [verbs.read_question(row) for row in found.rows])
    return t2.HITLDetailCollection(hitl_details=shown, total_entries=found.total)


@operation(
    "GET",
    "read",
    v2=Face(
        "get_hitl_detail",
        _DETAIL,
        answer=t2.HITLDetail,
        errors=(404,),
        tag="Task Instance",
    ),
)
def get_hitl_detail(call: Call) -> Any:
    """Show what the newest try of a task instance asks, and the answer."""
    return _show(call, [verbs.find_question(call.services, find_instance(call))])[0]


@operation(
    "GET",
    "read",
    v2=Face(
        "get_hitl_detail_try_detail",
        f"{_DETAIL}/tries/{{try_number}}",
        answer=t2.HITLDetailHistory,
        errors=(404,),
        tag="Task Instance",
    ),
)
def get_hitl_detail_try_detail(call: Call) -> Any:
    """Show what one try asked; of earlier tries than the newest nothing is kept."""
    row, number = find_instance(call), call.path["try_number"]
    shown_try = get_try(replace(call, path={**call.path, "task_try_number": number}))
    if number != row.try_number:
        raise ApiError(404, f"What try {number} of {call.task_id!r} asked is not kept.")
    question = verbs.find_question(call.services, row)
    return t2.HITLDetailHistory(**_fields(question), task_instance=shown_try)


@operation(
    "PATCH",
    "edit",
    v2=Face(
        "update_hitl_detail",
        _DETAIL,
        body=UpdateHITLDetailPayload,
        answer=t2.HITLDetailResponse,
        errors=(400, 404, 409),
        tag="Task Instance",
    ),
)
def update_hitl_detail(call: Call) -> Any:
    """Answer a task that waits for a person."""
    given = call.body
    try:
        answer = verbs.respond(
            call.services, find_instance(call), given.chosen_options, given.params_input
        )
    except InvalidInput as error:
        raise InvalidField("value_error", ("body",), str(error)) from None
    return t2.HITLDetailResponse(
        responded_by=t2.HITLUser(id=answer.user, name=answer.user),
        responded_at=answer.at,
        chosen_options=list(answer.chosen_options),
        params_input=dict(answer.params_input),
    )


def _show(call: Call, questions: Sequence[Question]) -> list[t2.HITLDetail]:
    records = [InstanceRecord(one.instance, one.run_after) for one in questions]
    shown = show_runs.show_instances(call, records)
    return [
        t2.HITLDetail(**_fields(question), task_instance=instance)
        for question, instance in zip(questions, shown, strict=True)
    ]


def _fields(question: Question) -> dict[str, Any]:
    asked, answer = question.asked, question.answer
    return {
        "options": [str(one) for one in asked["options"]],
        "subject": str(asked["subject"]),
        "body": asked.get("body"),
        "defaults": asked.get("defaults"),
        "multiple": bool(asked.get("multiple")),
        "params": redact(
            {
                param.name: {
                    "value": param.default,
                    "description": param.description or None,
                    "schema": param.schema,
                }
                for param in params_of(asked)
            }
        ),
        "assigned_users": [t2.HITLUser(id=one, name=one) for one in question.assigned_users],
        "created_at": question.asked_at,
        "responded_by_user": t2.HITLUser(id=answer.user, name=answer.user)
        if answer and answer.user
        else None,
        "responded_at": answer.at if answer else None,
        "chosen_options": list(answer.chosen_options) if answer else None,
        "params_input": redact(dict(answer.params_input)) if answer else {},
        "response_received": answer is not None,
    }
