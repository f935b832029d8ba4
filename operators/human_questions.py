"""Storing what a task asks people, for our operators and for those of the provider package.

Source: ``spec/semantics.md`` section 7.9; the names are those of Airflow 3's
``airflow.sdk.execution_time.hitl``, which the operators of the standard provider call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypedDict

from ..sdk import task_runtime, xcom_serialization
from ..sdk.context import get_current_context
from ..sdk.exceptions import InvalidUseError
from ..sdk.human_input import ANSWER_KEY, QUESTION_KEY
from ..sdk.not_set import is_arg_set


class HITLUser(TypedDict):
    """Somebody who may answer."""

    id: str
    name: str


def upsert_hitl_detail(
    ti_id: Any,
    options: Sequence[str],
    subject: str,
    body: str | None = None,
    defaults: Sequence[str] | None = None,
    multiple: bool = False,
    params: Mapping[str, Any] | None = None,
    assigned_users: Sequence[HITLUser | str] | HITLUser | str | None = None,
) -> None:
    """Store the question of the running task, in place of an earlier one.

    Args:
        ti_id: ignored: it is the running task that asks.
        params: what is to be entered: name → its default, or → ``Param.serialize()``.

    Raises:
        InvalidUseError: no task is running.
    """
    asked = {name: _read_param(param) for name, param in (params or {}).items()}
    several = [assigned_users] if isinstance(assigned_users, Mapping | str) else assigned_users
    question = {
        "subject": subject,
        "body": body,
        "options": list(options),
        "defaults": None if defaults is None else list(defaults),
        "multiple": multiple,
        "params": {name: value for name, (value, _) in asked.items()},
        "param_specs": {name: spec for name, (_, spec) in asked.items()},
        "assigned_users": [_user_name(one) for one in several or ()],
    }
    _keep(QUESTION_KEY, question)


def keep_late_answer(event: Any) -> None:
    """Store what time has answered where a person's answer would stand; others are there."""
    if isinstance(event, Mapping) and event.get("timedout") and "chosen_options" in event:
        _keep(ANSWER_KEY, {**event, "responded_at": event["responded_at"].isoformat()})


def get_hitl_detail_content_detail(ti_id: Any) -> NoReturn:
    """Refuse: an answer is waited for by raising ``TaskAwaitingInput``, as of Airflow 3.3.

    Raises:
        InvalidUseError: always.
    """
    raise InvalidUseError(
        "the answer of a person cannot be asked for by the id of a task instance: raise "
        "TaskAwaitingInput, or use the operators of airflow.providers.standard.operators.hitl"
    )


def update_hitl_detail_response(
    ti_id: Any, chosen_options: Sequence[str], params_input: Mapping[str, Any]
) -> NoReturn:
    """Refuse: only a person answers, on the page, by the API or by ``tradewind tasks respond``.

    Raises:
        InvalidUseError: always.
    """
    raise InvalidUseError(
        "a task cannot answer for a person: use the page, the API or 'tradewind tasks respond'"
    )


def place_of(ti: Any) -> dict[str, Any]:
    """Return what names a task instance, as XComs are addressed."""
    return {
        "dag_id": ti.dag_id,
        "run_id": ti.run_id,
        "task_id": ti.task_id,
        "map_index": ti.map_index,
    }


def _keep(key: str, value: Mapping[str, Any]) -> None:
    """Store an XCom, but not by an own backend: commands and pages, which run no user code,
    read it.
    """
    if task_runtime.current is None:
        raise InvalidUseError("a person can be asked while a task runs only")
    ti = get_current_context()["ti"]
    text, length = xcom_serialization.encode(value, task_id=ti.task_id, key=key)
    task_runtime.current.set_xcom(**place_of(ti), key=key, value=text, length=length)


def _read_param(given: Any) -> tuple[Any, dict[str, Any]]:
    """Return default and specification of one param."""
    if not (isinstance(given, Mapping) and {"value", "schema"} <= given.keys()):
        given = {"value": given}
    has_default = is_arg_set(given["value"])
    return given["value"] if has_default else None, {
        "has_default": has_default,
        "description": given.get("description"),
        "schema": dict(given.get("schema") or {}),
    }


def _user_name(user: Any) -> str:
    return str(user.get("name") or user.get("id")) if isinstance(user, Mapping) else str(user)
