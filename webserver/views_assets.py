"""Assets: a list, a graph of who makes and who waits for them, and one with its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import assets as asset_verbs
from ..control.input import parse_json_object
from ..database.errors import NotFound
from ..database.listings import Where
from .asset_graph import draw_assets
from .auth import requires
from .form_fields import only_fields
from .graph import ASSET_PREFIX
from .graph_svg import nodes_markup
from .paging import page_of
from .services import acting_services, services

if TYPE_CHECKING:
    from ..database.asset_rows import AssetReferenceRow, AssetRow

blueprint = Blueprint("asset_pages", __name__)

ASSETS_PER_PAGE = 50
EVENTS_PER_PAGE = 50
#: More assets than these are not read for a graph.
GRAPH_ASSETS_MAX = 1000


@blueprint.get("/assets")
@blueprint.get("/datasets", endpoint="datasets")
@requires("read")
def index() -> ResponseReturnValue:
    """List assets, or draw the graph of all of them."""
    search = request.args.get("search", "").strip()
    if request.args.get("view") == "graph":
        return _graph_page(search)
    listings = services().store.asset_listings
    where = _where(search, is_active=request.args.get("gone") != "1")
    page = page_of(
        listings.assets(where, ["name"], 0, 0).total,
        lambda limit, offset: listings.assets(where, ["name"], limit, offset).rows,
        ASSETS_PER_PAGE,
        {"search": search, "gone": request.args.get("gone")},
    )
    return render_template(
        "assets.html",
        page=page,
        references=listings.references([one.id for one in page.rows]),
        search=search,
        live="idle",
    )


def _where(search: str, *, is_active: bool) -> list[Where]:
    where = [Where("is_active", "in", [is_active])]
    if search:
        where.append(Where("uri" if "/" in search else "name", "part", search))
    return where


def _graph_page(search: str) -> ResponseReturnValue:
    listings = services().store.asset_listings
    assets = listings.assets(_where(search, is_active=True), ["name"], GRAPH_ASSETS_MAX, 0).rows
    references = listings.references([one.id for one in assets])
    return render_template(
        "assets_graph.html",
        search=search,
        live="idle",
        count=len(assets),
        **_drawing(assets, references, None),
    )


def _drawing(
    assets: list[AssetRow] | Any,
    references: dict[int, list[AssetReferenceRow]],
    around: int | None,
) -> dict[str, Any]:
    dag_ids = sorted({one.dag_id for some in references.values() for one in some})
    newest = services().store.dags.last_runs(dag_ids, per_dag=1)
    states = {dag_id: runs[0].state for dag_id, runs in newest.items() if runs}
    drawing = draw_assets(assets, references, states, around)
    return {
        "drawing": drawing,
        "nodes": nodes_markup(drawing, lambda _: "", _box_url) if drawing else "",
        "graph_url": lambda **_: "",
    }


def _box_url(id_: str, kind: str) -> str:
    name = id_.partition(":")[2]
    if kind == "asset":
        return url_for("asset_pages.show", asset_id=int(name))
    return url_for("dags.show", dag_id=name)


def _asset(asset_id: int) -> AssetRow:
    found = services().store.asset_listings.assets([Where("id", "in", [asset_id])], [], 1, 0).rows
    if not found:
        raise NotFound(f"There is no asset {asset_id}.")
    return found[0]


@blueprint.get("/assets/<int:asset_id>")
@requires("read")
def show(asset_id: int) -> ResponseReturnValue:
    """Show one asset: who makes it, who waits for it, its events and the runs they made."""
    asset = _asset(asset_id)
    listings = services().store.asset_listings
    all_assets = listings.assets(_where("", is_active=True), ["name"], GRAPH_ASSETS_MAX, 0).rows
    references = listings.references([one.id for one in all_assets])
    where = [Where("asset_id", "in", [asset_id])]
    page = page_of(
        listings.events(where, ["-id"], 0, 0).total,
        lambda limit, offset: listings.events(where, ["-id"], limit, offset).rows,
        EVENTS_PER_PAGE,
        {"asset_id": asset_id},
    )
    return render_template(
        "asset.html",
        item=asset,
        named=references.get(asset_id, []),
        aliases=sorted(listings.aliases([asset_id]).get(asset_id, ())),
        queued=listings.queued(asset_ids=[asset_id]),
        page=page,
        made=listings.runs_made([one.id for one in page.rows]),
        live="idle",
        own_id=ASSET_PREFIX + str(asset_id),
        **_drawing(all_assets, references, asset_id),
    )


@blueprint.get("/assets/<int:asset_id>/event")
@requires("edit")
def event_form(asset_id: int) -> ResponseReturnValue:
    """Ask before an event is made by hand: it makes runs of the DAGs that wait."""
    return _event_page(_asset(asset_id), "", None)


def _event_page(asset: AssetRow, extra: str, error: str | None) -> str:
    named = services().store.asset_listings.references([asset.id]).get(asset.id, [])
    makers = sorted({one.dag_id for one in named if one.kind == "outlet"})
    return render_template(
        "asset_event.html",
        item=asset,
        waiting=sorted({one.dag_id for one in named if one.kind == "schedule"}),
        maker=makers[0] if len(makers) == 1 else None,
        extra=extra,
        error=error,
    )


@blueprint.post("/assets/<int:asset_id>/event")
@requires("edit")
def post_event(asset_id: int) -> ResponseReturnValue:
    """Make an event by hand, or start the DAG that makes the asset."""
    only_fields("extra", "act")
    asset, acting = _asset(asset_id), acting_services()
    if request.form.get("act") == "materialize":
        run = asset_verbs.materialize(acting, name=asset.name, uri=asset.uri, triggered_by="ui")
        return redirect(url_for("runs.show", dag_id=run.dag_id, run_id=run.run_id))
    extra = parse_json_object(request.form.get("extra", "").strip(), "Extra")
    event = asset_verbs.post_event(acting, name=asset.name, uri=asset.uri, extra=extra)
    flash(f"Event {event.id} of {asset.name} is made.")
    return redirect(url_for("asset_pages.show", asset_id=asset_id))
