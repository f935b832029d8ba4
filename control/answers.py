"""Answers of people to tasks that ask them (human in the loop; semantics section 7.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..database.errors import AlreadyExists, NotAllowed, NotFound
from ..sdk.states import TaskInstanceState
from ..sdk.xcom_serialization import decode
from .input import InvalidInput
from .xcoms import set_xcom

if TYPE_CHECKING:
    from ..database.values import TaskInstanceRow
    from .services import Services

#: Keys of XComs, as ``operators/triggers/hitl.py`` has them: control may not import operators.
DETAIL_KEY = "hitl_detail"
RESPONSE_KEY = "hitl_response"


def find_question(services: Services, row: TaskInstanceRow) -> dict[str, Any]:
    """Return what a task asks: subject, body, options, defaults, multiple, params, assigned_users.

    Raises:
        NotFound: it asks nothing, or does not wait for an answer any more.
    """
    detail = _value(services, row, DETAIL_KEY)
    if detail is None or row.state is not TaskInstanceState.DEFERRED:
        raise NotFound(
            f"The task instance {row.task_id!r} of the run {row.run_id!r} does not wait for an "
            f"answer: it is {row.state.value}."
        )
    return dict(detail)


def respond(
    services: Services,
    row: TaskInstanceRow,
    options: Sequence[str],
    entered: Mapping[str, Any] | None = None,
) -> None:
    """Answer a task; it goes on within seconds.

    Args:
        entered: values of the params that are asked for; those left out keep their defaults.

    Raises:
        NotFound: it does not wait for an answer.
        AlreadyExists: somebody was faster.
        InvalidInput: the options or params are not those that it asks for.
        NotAllowed: it asks somebody else.
    """
    question = find_question(services, row)
    assigned = question.get("assigned_users") or []
    if assigned and services.user_name not in assigned:
        raise NotAllowed(f"Only {', '.join(assigned)} may answer the task {row.task_id!r}.")
    unknown = [one for one in options if one not in question["options"]]
    if unknown or not options:
        known = ", ".join(question["options"])
        raise InvalidInput(f"The task {row.task_id!r} can be answered with: {known}.")
    if len(options) > 1 and not question["multiple"]:
        raise InvalidInput(f"The task {row.task_id!r} takes one option, not {len(options)}.")
    params = dict(question["params"])
    strange = sorted(set(entered or {}) - set(params))
    if strange:
        raise InvalidInput(f"The task {row.task_id!r} does not ask for {', '.join(strange)}.")
    response = {
        "chosen_options": list(options),
        "params_input": {**params, **(entered or {})},
        "responded_at": services.now().isoformat(),
        "responded_by_user": {"id": services.user_name, "name": services.user_name},
    }
    try:
        set_xcom(services, row, RESPONSE_KEY, response, is_new=True)
    except AlreadyExists:
        raise AlreadyExists(f"The task {row.task_id!r} was answered already.") from None


def _value(services: Services, row: TaskInstanceRow, key: str) -> Any:
    found = services.store.xcoms.get_many(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_ids=[row.task_id],
        key=key,
        map_indexes=[row.map_index],
    )
    return decode(found[0].value) if found else None
