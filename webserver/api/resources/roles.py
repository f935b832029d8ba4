"""Roles and what they may do (version 1)."""

from __future__ import annotations

from typing import Any

from msgspec import UnsetType

from ....control import roles as verbs
from ....control.permissions import ACTIONS
from .. import access_answers as a
from .. import bodies_access as bodies
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, operation, order
from .dags import check_mask
from .paged import page_of

_ONE = "/roles/{role_name}"


@operation(
    "GET",
    "administer",
    v1=Face(
        "get_roles", "/roles", (*PAGE, order(is_list=False)), answer=a.RoleCollection, tag="Role"
    ),
)
def get_roles(call: Call) -> Any:
    """List roles."""
    orders = {"name": "name", "id": "name"}
    page, total = page_of(call, verbs.list_roles(call.services), orders, "name")
    return a.RoleCollection(roles=[_show(one) for one in page], total_entries=total)


def _show(one: verbs.Role) -> a.Role:
    return a.Role(
        name=one.name,
        actions=[
            a.ActionResource(action=a.NameOnly(name=action), resource=a.NameOnly(name=resource))
            for action, resource in one.permissions
        ],
    )


def _name(call: Call) -> str:
    return str(call.path["role_name"])


@operation("GET", "administer", v1=Face("get_role", _ONE, answer=a.Role, errors=(404,), tag="Role"))
def get_role(call: Call) -> Any:
    """Show one role."""
    return _show(verbs.get_role(call.services, _name(call)))


def _permissions(body: bodies.RoleV1) -> list[tuple[str, str]]:
    if isinstance(body.actions, UnsetType):
        return []
    return [(one.action.name, one.resource.name) for one in body.actions]


@operation(
    "POST",
    "administer",
    v1=Face(
        "post_role", "/roles", body=bodies.RoleV1, answer=a.Role, errors=(400, 409), tag="Role"
    ),
)
def post_role(call: Call) -> Any:
    """Create a role."""
    if isinstance(call.body.name, UnsetType):
        raise ApiError(400, "{'name': ['Missing data for required field.']}")
    verbs.create_role(call.services, call.body.name, _permissions(call.body))
    return _show(verbs.get_role(call.services, call.body.name))


@operation(
    "PATCH",
    "administer",
    v1=Face(
        "patch_role",
        _ONE,
        (Query("update_mask", is_list=True),),
        body=bodies.RoleV1,
        answer=a.Role,
        errors=(400, 404),
        tag="Role",
    ),
)
def patch_role(call: Call) -> Any:
    """Give a role other permissions. Its name is how users and files know it, and stays."""
    mask = check_mask(call, {"name", "actions"})
    verbs.get_role(call.services, _name(call))
    if (
        "name" in mask
        and call.body.name not in (_name(call), None)
        and not isinstance(call.body.name, UnsetType)
    ):
        raise ApiError(400, "A role cannot be renamed. Create another one.")
    if "actions" in mask and not isinstance(call.body.actions, UnsetType):
        verbs.set_permissions(call.services, _name(call), _permissions(call.body))
    return _show(verbs.get_role(call.services, _name(call)))


@operation(
    "DELETE",
    "administer",
    v1=Face("delete_role", _ONE, status=204, errors=(400, 404), tag="Role"),
)
def delete_role(call: Call) -> None:
    """Delete a role that people made."""
    verbs.delete_role(call.services, _name(call))


@operation(
    "GET",
    "administer",
    v1=Face("get_permissions", "/permissions", PAGE, answer=a.ActionCollection, tag="Permission"),
)
def get_permissions(call: Call) -> Any:
    """List the actions that roles can be given."""
    limit, offset = call.window()
    shown = [a.NameOnly(name=name) for name in ACTIONS]
    return a.ActionCollection(actions=shown[offset : offset + limit], total_entries=len(shown))
