"""Users and roles: who may sign in, and what they may do."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import roles as role_verbs
from ..control import users as user_verbs
from ..control.input import InvalidInput
from ..control.permissions import ACTIONS, Permission
from .auth import requires
from .form_fields import only_fields
from .services import acting_services, services

blueprint = Blueprint("people", __name__)


@blueprint.get("/users")
@requires("administer")
def users() -> ResponseReturnValue:
    """List users; one of them can be changed."""
    asked = request.args.get("name")
    return render_template(
        "users.html",
        users=services().store.users.list(),
        chosen=user_verbs.get_user(services(), username=asked) if asked else None,
        roles=role_verbs.role_names(services()),
    )


@blueprint.post("/users")
@requires("administer")
def save_user() -> ResponseReturnValue:
    """Create a user, change one, or delete one."""
    only_fields("act", "name", "first_name", "last_name", "email", "password", "roles", "is_active")
    form, acting = request.form, acting_services()
    name, act = form.get("name", "").strip(), form.get("act", "")
    roles = form.getlist("roles")
    if act == "delete":
        user_verbs.delete_user(acting, username=name)
        flash(f"Deleted user {name}.")
    elif act == "create":
        user_verbs.create_user(
            acting,
            username=name,
            first_name=form.get("first_name", "").strip(),
            last_name=form.get("last_name", "").strip(),
            email=form.get("email", "").strip(),
            roles=roles,
            password=form.get("password", ""),
        )
        flash(f"Created user {name}.")
    elif act == "change":
        _change(name, roles)
        flash(f"Changed user {name}.")
    else:
        abort(400, "A user can be created, changed or deleted.")
    return redirect(url_for("people.users"))


def _change(name: str, roles: list[str]) -> None:
    """Write what differs from what is stored: each change ends sessions."""
    form, acting = request.form, acting_services()
    user = user_verbs.get_user(acting, username=name)
    fields = {
        field: form.get(field, "").strip()
        for field in ("first_name", "last_name", "email")
        if form.get(field, "").strip() != getattr(user, field)
    }
    if not roles:
        raise InvalidInput("A user has at least one role; Public is one without permissions")
    if set(roles) != set(user.roles):
        user_verbs.set_roles(acting, name, roles)
    if (form.get("is_active") == "1") != user.is_active:
        user_verbs.set_active(acting, name, is_active=form.get("is_active") == "1")
    if fields:
        user_verbs.set_profile(acting, name, fields)
    if form.get("password"):
        user_verbs.set_password(acting, name, form["password"])


@blueprint.get("/roles")
@requires("administer")
def roles() -> ResponseReturnValue:
    """List roles; one that people made can be changed."""
    asked = request.args.get("name")
    return render_template(
        "roles.html",
        roles=role_verbs.list_roles(services()),
        chosen=role_verbs.get_role(services(), asked) if asked else None,
        actions=ACTIONS,
    )


@blueprint.post("/roles")
@requires("administer")
def save_role() -> ResponseReturnValue:
    """Create a role, give it exactly these permissions, or delete it."""
    only_fields("act", "name", "permissions")
    acting, name = acting_services(), request.form.get("name", "").strip()
    act = request.form.get("act", "")
    if act == "delete":
        role_verbs.delete_role(acting, name)
    elif act == "create":
        role_verbs.create_role(acting, name, _permissions())
    elif act == "change":
        role_verbs.set_permissions(acting, name, _permissions())
    else:
        abort(400, "A role can be created, changed or deleted.")
    flash(f"Saved role {name}." if act != "delete" else f"Deleted role {name}.")
    return redirect(url_for("people.roles"))


def _permissions() -> list[Permission]:
    """Read one permission a line: the action, a blank, and what it is on."""
    found: list[Permission] = []
    for line in request.form.get("permissions", "").splitlines():
        if not line.strip():
            continue
        action, _, resource = line.strip().partition(" ")
        if not resource.strip():
            raise InvalidInput(f"{line.strip()!r}: write an action and a resource: can_read DAGs")
        found.append((action, resource.strip()))
    return found
