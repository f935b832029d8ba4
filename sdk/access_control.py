"""``DAG(access_control=…)``: which roles may do what with one DAG.

Two forms, as in Airflow 2.11: ``{"Sales": {"can_read", "can_edit"}}``, and by resource
``{"Sales": {"DAGs": {"can_read"}, "DAG Runs": {"can_create"}}}``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .exceptions import AirflowException

#: What can be permitted on one DAG, and on its runs.
ACTIONS_BY_RESOURCE: Mapping[str, frozenset[str]] = {
    "DAGs": frozenset({"can_read", "can_edit", "can_delete", "can_dag_read", "can_dag_edit"}),
    "DAG Runs": frozenset({"can_create", "can_read", "can_edit", "can_delete", "menu_access"}),
}


def checked_access_control(access_control: Any) -> dict[str, Any] | None:
    """Return an ``access_control`` as plain values, None where there is none.

    Raises:
        AirflowException: it has another form, or names an action or a resource that is none.
    """
    if access_control is None:
        return None
    if not isinstance(access_control, Mapping):
        raise AirflowException(
            f"access_control: a dict of role names is expected, not {type(access_control).__name__}"
        )
    return {str(role): _checked(str(role), given) for role, given in access_control.items()}


def _checked(role: str, given: Any) -> Any:
    if isinstance(given, Mapping):
        return {
            str(resource): _actions(role, str(resource), actions)
            for resource, actions in given.items()
        }
    return _actions(role, "DAGs", given)


def _actions(role: str, resource: str, given: Any) -> list[str]:
    known = ACTIONS_BY_RESOURCE.get(resource)
    if known is None:
        raise AirflowException(
            f"access_control of role {role!r}: there is no resource {resource!r} of a DAG; "
            f"use one of {sorted(ACTIONS_BY_RESOURCE)}"
        )
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Collection):
        raise AirflowException(f"access_control of role {role!r}: a set of actions is expected")
    unknown = sorted({str(name) for name in names} - known)
    if unknown:
        raise AirflowException(
            f"access_control of role {role!r}: {', '.join(unknown)} cannot be permitted on "
            f"{resource!r}; use one of {sorted(known)}"
        )
    return sorted({str(name) for name in names})
