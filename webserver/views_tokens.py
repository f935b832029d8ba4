"""Your account: password and access tokens; and webhooks for systems outside."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import access_tokens, webhooks
from ..control.access import EDIT, READ
from ..control.input import InvalidInput
from ..control.users import change_own_password
from .auth import is_anybody, requires
from .login import begin_session
from .services import acting_services, services

blueprint = Blueprint("tokens", __name__)


@blueprint.get("/account")
@requires("read")
def account() -> ResponseReturnValue:
    """Show the tokens of the reader, and ask for a new password."""
    return _account()


def _account(new_token: str | None = None) -> ResponseReturnValue:
    if is_anybody():
        abort(403, "Sign in first: a token belongs to a user.")
    rows = access_tokens.list_tokens(services(), g.user.username)
    return render_template(
        "account.html",
        tokens=rows,
        new_token=new_token,
        days=access_tokens.DAYS_DEFAULT,
        days_max=access_tokens.DAYS_MAX,
        now=services().now(),
    )


@blueprint.post("/account/tokens")
@requires("read")
def save_token() -> ResponseReturnValue:
    """Make or revoke a token of the reader. A new one is shown once, in this answer."""
    acting, name = acting_services(), g.user.username
    if request.form.get("act") == "revoke":
        access_tokens.revoke_token(acting, _number("id"), username=name)
        return redirect(url_for("tokens.account"))
    _, text = access_tokens.create_token(
        acting, name, request.form.get("name", ""), days=_number("days")
    )
    return _account(text)


@blueprint.post("/account/password")
@requires("read")
def save_password() -> ResponseReturnValue:
    """Give the reader a new password; all other sessions and all tokens end."""
    form = request.form
    if form.get("password", "") != form.get("again", ""):
        raise InvalidInput("The new password was written in two ways")
    change_own_password(
        acting_services(), g.user.username, form.get("old", ""), form.get("password", "")
    )
    begin_session(g.user)
    flash("Your password is changed; other sessions and all tokens have ended.")
    return redirect(url_for("tokens.account"))


def _number(field: str) -> int:
    text = request.form.get(field, "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput(f"{field}: a whole number is expected")
    return int(text)


@blueprint.get("/webhooks")
@requires("edit")
def hooks() -> ResponseReturnValue:
    """List webhooks of DAGs that the reader may see, and of assets."""
    return _hooks()


def _hooks(made: tuple[str, str] | None = None) -> ResponseReturnValue:
    dags = [row.dag_id for row in services().store.dags.list(limit=1000)]
    assets = services().store.assets.list() if g.access.has(READ, "Assets") else []
    return render_template(
        "webhooks.html",
        webhooks=webhooks.list_webhooks(services()),
        made=made,
        dag_ids=[one for one in dags if g.access.has_on_dag(EDIT, one)],
        asset_names=[one.name for one in assets],
    )


@blueprint.post("/webhooks")
@requires("edit")
def save_hook() -> ResponseReturnValue:
    """Make or revoke a webhook. A new token is shown once, in this answer."""
    acting, name = acting_services(), request.form.get("name", "").strip()
    if request.form.get("act") == "revoke":
        _check_may_hook(services().store.webhooks.get(name).dag_id)
        webhooks.revoke_webhook(acting, name)
        return redirect(url_for("tokens.hooks"))
    dag_id = request.form.get("dag_id", "").strip() or None
    _check_may_hook(dag_id)
    token = webhooks.create_webhook(
        acting,
        name,
        dag_id=dag_id,
        asset_name=request.form.get("asset_name", "").strip() or None,
    )
    return _hooks((name, token))


def _check_may_hook(dag_id: str | None) -> None:
    if not g.access.may_hook(dag_id):
        abort(403, "A webhook can be made only by those who may do what it does.")
