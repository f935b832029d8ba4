"""Users (version 1)."""

from __future__ import annotations

from typing import Any

from msgspec import UnsetType

from ....control import users as verbs
from ....database.values import UserRow
from .. import answers_v1 as a1
from .. import bodies_access as bodies
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, operation, order
from .dags import check_mask
from .paged import page_of

_ONE = "/users/{username}"
_PROFILE = ("username", "email", "first_name", "last_name")
_ORDERS = {
    "id": "id",
    "username": "username",
    "first_name": "first_name",
    "last_name": "last_name",
    "email": "email",
    "active": "is_active",
    "user_name": "username",
}


@operation(
    "GET",
    "administer",
    v1=Face(
        "get_users", "/users", (*PAGE, order(is_list=False)), answer=a1.UserCollection, tag="User"
    ),
)
def get_users(call: Call) -> Any:
    """List users."""
    page, total = page_of(call, call.store.users.list(), _ORDERS, "username")
    return a1.UserCollection(users=[_show(row) for row in page], total_entries=total)


def _show(row: UserRow) -> a1.UserCollectionItem:
    return a1.UserCollectionItem(
        first_name=row.first_name,
        last_name=row.last_name,
        username=row.username,
        email=row.email,
        active=row.is_active,
        last_login=row.last_login_at,
        login_count=row.login_count,
        failed_login_count=row.failed_login_count,
        roles=[{"name": name} for name in row.roles],
        created_on=row.created_at,
        changed_on=row.changed_at or row.created_at,
    )


def _name(call: Call) -> str:
    return str(call.path["username"])


@operation(
    "GET",
    "administer",
    v1=Face("get_user", _ONE, answer=a1.UserCollectionItem, errors=(404,), tag="User"),
)
def get_user(call: Call) -> Any:
    """Show one user."""
    return _show(verbs.get_user(call.services, username=_name(call)))


@operation(
    "POST",
    "administer",
    v1=Face(
        "post_user",
        "/users",
        body=bodies.UserV1,
        answer=a1.UserCollectionItem,
        errors=(400, 409),
        tag="User",
    ),
)
def post_user(call: Call) -> Any:
    """Create a user; without roles, one who may only read."""
    body = call.body
    missing = [
        name for name in ("username", "password") if isinstance(getattr(body, name), UnsetType)
    ]
    if missing:
        raise ApiError(400, f"{{'{missing[0]}': ['Missing data for required field.']}}")
    roles = [] if isinstance(body.roles, UnsetType) else body.roles
    texts = {name: getattr(body, name) for name in ("email", "first_name", "last_name")}
    row = verbs.create_user(
        call.services,
        username=body.username,
        password=body.password,
        roles=[one.name for one in roles] or ["Viewer"],
        **{name: "" if isinstance(text, UnsetType) else text for name, text in texts.items()},
    )
    return _show(row)


@operation(
    "PATCH",
    "administer",
    v1=Face(
        "patch_user",
        _ONE,
        (Query("update_mask", is_list=True),),
        body=bodies.UserV1,
        answer=a1.UserCollectionItem,
        errors=(400, 404, 409),
        tag="User",
    ),
)
def patch_user(call: Call) -> Any:
    """Change a user. A new password, or other roles, ends their sessions."""
    mask = check_mask(call, {*_PROFILE, "roles", "password"})
    given = {
        name: getattr(call.body, name)
        for name in mask
        if not isinstance(getattr(call.body, name), UnsetType)
    }
    row = verbs.get_user(call.services, username=_name(call))
    if "roles" in given:
        verbs.set_roles(call.services, row.username, [one.name for one in given["roles"]])
    if "password" in given:
        verbs.set_password(call.services, row.username, given["password"])
    profile = {name: given[name] for name in _PROFILE if name in given}
    changed = {name: text for name, text in profile.items() if text != getattr(row, name)}
    if changed:
        verbs.set_profile(call.services, row.username, changed)
    name = profile.get("username", row.username)
    return _show(verbs.get_user(call.services, username=name))


@operation(
    "DELETE",
    "administer",
    v1=Face("delete_user", _ONE, status=204, errors=(400, 404, 409), tag="User"),
)
def delete_user(call: Call) -> None:
    """Delete a user; the last admin stays."""
    verbs.delete_user(call.services, username=_name(call))
