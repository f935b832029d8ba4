"""Pools, variables, connections, jobs, settings, audit log and users. Secrets are never shown."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import connections as connection_verbs
from ..control import pools as pool_verbs
from ..control import variables as variable_verbs
from ..control.input import InvalidInput
from ..sdk.configuration import conf
from ..sdk.connection import Connection
from .auth import may_open, requires
from .services import acting_services, services
from .views_dag_tabs import read_events

blueprint = Blueprint("admin", __name__)

#: Word, endpoint, what it needs, what it is for.
SECTIONS = (
    ("Pools", "admin.pools", "read", "Limits shared by all DAGs"),
    ("Jobs", "admin.jobs", "read", "Schedulers, parsers and runners, and when each was last seen"),
    ("Health", "health.page", "read", "The same as the health address answers"),
    ("Import errors", "import_errors.index", "read", "DAG files that could not be loaded"),
    ("Variables", "admin.variables", "operate", "Values that DAGs read by name"),
    ("Connections", "admin.connections", "operate", "How DAGs reach other systems"),
    ("Configuration", "admin.configuration", "operate", "The settings in force"),
    ("Audit log", "admin.audit", "audit", "Who did what"),
    ("Webhooks", "tokens.hooks", "edit", "Let systems outside start runs or post asset events"),
    ("Account", "tokens.account", "read", "Your password and your access tokens"),
    ("Providers", "packages.providers", "operate", "Provider packages that are installed"),
    ("Plugins", "packages.plugins", "operate", "Files and packages that add to Tradewind"),
    ("Users", "people.users", "administer", "Who may sign in"),
    ("Roles", "people.roles", "administer", "What each role may do"),
)
SLOTS_MAX = 2**31 - 1
MASK = connection_verbs.MASK


@blueprint.get("/admin")
@requires("read")
def index() -> ResponseReturnValue:
    """Lead to what the reader may see."""
    return render_template(
        "admin.html",
        sections=[
            one
            for one in SECTIONS
            if may_open(one[1], one[2]) and (one[1] != "admin.configuration" or is_config_exposed())
        ],
    )


@blueprint.get("/pools")
@requires("read")
def pools() -> ResponseReturnValue:
    """List pools with their slots."""
    return render_template("pools.html", pools=pool_verbs.list_pools(services()))


@blueprint.post("/pools")
@requires("operate")
def save_pool() -> ResponseReturnValue:
    """Create, change or delete a pool."""
    acting, name = acting_services(), request.form.get("name", "").strip()
    if request.form.get("act") == "delete":
        pool_verbs.delete_pool(acting, name)
        return redirect(url_for("admin.pools"))
    try:
        slots = int(request.form.get("slots", ""))
    except ValueError:
        raise InvalidInput("Slots is a whole number; -1 is no limit") from None
    if slots > SLOTS_MAX:
        raise InvalidInput(f"A pool has at most {SLOTS_MAX} slots")
    pool_verbs.set_pool(
        acting,
        name,
        slots,
        request.form.get("description", ""),
        include_deferred=bool(request.form.get("include_deferred")),
    )
    return redirect(url_for("admin.pools"))


@blueprint.get("/jobs")
@requires("read")
def jobs() -> ResponseReturnValue:
    """List processes and runners with the age of their last sign of life."""
    store = services().store
    return render_template(
        "jobs.html",
        processes=store.processes.list(),
        workers=store.workers.list(("alive", "stopped", "lost"))[:100],
        now=services().now(),
    )


@blueprint.get("/variables")
@requires("operate")
def variables() -> ResponseReturnValue:
    """List variables; values of secret names are masked."""
    rows = variable_verbs.list_variables(services(), hide_sensitive=True)
    asked = request.args.get("key")
    chosen = next((row for row in rows if row.key == asked), None)
    return render_template("variables.html", variables=rows, chosen=chosen, mask=MASK)


@blueprint.post("/variables")
@requires("operate")
def save_variable() -> ResponseReturnValue:
    """Write or delete a variable. The mask sent back keeps the value that is stored."""
    acting, key = acting_services(), request.form.get("key", "")
    if request.form.get("act") == "delete":
        variable_verbs.delete_variable(acting, key)
        return redirect(url_for("admin.variables"))
    if len(key) > 250 or not key.isprintable() or ".." in key:
        raise InvalidInput("A variable's key has 1 to 250 printable characters, without '..'")
    value = request.form.get("value", "")
    if value == MASK:
        value = variable_verbs.get_variable(services(), key)
    variable_verbs.set_variable(acting, key, value, description=request.form.get("description", ""))
    flash(f"Saved variable {key}.")
    return redirect(url_for("admin.variables"))


@blueprint.get("/connections")
@requires("operate")
def connections() -> ResponseReturnValue:
    """List connections without their secrets."""
    rows = [
        connection_verbs.masked_fields(one, is_shown=False)
        for one in connection_verbs.list_connections(services())
    ]
    asked = request.args.get("conn_id")
    chosen = next((row for row in rows if row["conn_id"] == asked), None)
    return render_template("connections.html", connections=rows, chosen=chosen, mask=MASK)


@blueprint.post("/connections")
@requires("operate")
def save_connection() -> ResponseReturnValue:
    """Write or delete a connection. Masked secrets that are sent back stay as they are stored."""
    acting, form = acting_services(), request.form
    conn_id = form.get("conn_id", "").strip()
    if form.get("act") == "delete":
        connection_verbs.delete_connection(acting, conn_id)
        return redirect(url_for("admin.connections"))
    known = services().store.connections.get(conn_id)
    stored = connection_verbs.get_connection(services(), conn_id) if known is not None else None
    fields = {
        name: form.get(name, "").strip() or None
        for name in ("conn_type", "description", "host", "schema", "login")
    }
    port = form.get("port", "").strip()
    if port and not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise InvalidInput("A port is a number from 0 to 65535")
    password = form.get("password", "") or None
    if password == MASK:
        password = stored.password if stored else None
    connection_verbs.add_connection(
        acting,
        Connection.from_fields(
            {
                "conn_id": conn_id,
                **fields,
                "port": int(port) if port else None,
                "password": password,
                "extra": _extra(form.get("extra", "").strip(), stored),
            }
        ),
        is_overwriting=form.get("is_new") != "1",
    )
    flash(f"Saved connection {conn_id}.")
    return redirect(url_for("admin.connections"))


def _extra(text: str, stored: Connection | None) -> str | None:
    """Return the extra as JSON text, with masked values as they are stored."""
    import json

    from ..control.input import parse_json_object

    extra = parse_json_object(text, "Extra")
    if extra is None:
        return None
    kept = stored.extra_dejson if stored else {}
    return json.dumps(
        {name: kept.get(name) if value == MASK else value for name, value in extra.items()}
    )


def is_config_exposed() -> bool:
    """Tell whether the settings may be shown; secret ones never are."""
    return conf.get("api", "expose_config", fallback="False").lower() in (
        "true",
        "non-sensitive-only",
    )


@blueprint.get("/configs")
@requires("operate")
def configuration() -> ResponseReturnValue:
    """Show the settings in force; secret ones are hidden."""
    if not is_config_exposed():
        abort(403, "The setting expose_config is off.")
    return render_template("configuration.html", sections=conf.as_dict(display_source=True))


@blueprint.get("/events")
@requires("audit")
def audit() -> ResponseReturnValue:
    """List who did what, over all DAGs."""
    return render_template("audit.html", **read_events(None))
