"""Which DAGs make which assets, and which wait for them: a graph of everything. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .graph import ASSET_PREFIX, BoxSpec, Drawing, place_boxes

if TYPE_CHECKING:
    from ..database.asset_rows import AssetReferenceRow, AssetRow

DAG_PREFIX = "dag:"
#: More boxes than this are not drawn at once.
BOXES_MAX = 400
LABEL_LENGTH_MAX = 34


def asset_edges(
    assets: Sequence[AssetRow], references: Mapping[int, Sequence[AssetReferenceRow]]
) -> list[tuple[str, str]]:
    """Return pairs of box ids: a DAG that makes an asset, and an asset that a DAG waits for."""
    edges: dict[tuple[str, str], None] = {}
    for asset in assets:
        own = ASSET_PREFIX + str(asset.id)
        for one in references.get(asset.id, ()):
            other = DAG_PREFIX + one.dag_id
            edges[(other, own) if one.kind == "outlet" else (own, other)] = None
    # What a DAG reads and writes itself is made by it: one arrow is enough.
    return [edge for edge in edges if edge[::-1] not in edges or edge[1].startswith(ASSET_PREFIX)]


def reach(edges: Sequence[tuple[str, str]], start: str) -> set[str]:
    """Return all boxes that lead to one, or that it leads to."""
    found = {start}
    for is_down in (True, False):
        waiting, seen = [start], {start}
        while waiting:
            here = waiting.pop()
            for a, b in edges:
                source, target = (a, b) if is_down else (b, a)
                if source == here and target not in seen:
                    seen.add(target)
                    waiting.append(target)
        found |= seen
    return found


def draw_assets(
    assets: Sequence[AssetRow],
    references: Mapping[int, Sequence[AssetReferenceRow]],
    states: Mapping[str, str],
    around: int | None = None,
) -> Drawing | None:
    """Lay the graph out; None: it is empty, or too large to draw.

    Args:
        states: DAG → state of its newest run.
        around: only what is connected with this asset.
    """
    edges = asset_edges(assets, references)
    shown = {id_ for edge in edges for id_ in edge}
    if around is not None:
        start = ASSET_PREFIX + str(around)
        shown = reach(edges, start)
        edges = [edge for edge in edges if shown.issuperset(edge)]
    if not shown or len(shown) > BOXES_MAX:
        return None
    names = {ASSET_PREFIX + str(asset.id): asset.name for asset in assets}
    specs = [_spec(id_, names, states) for id_ in sorted(shown)]
    return place_boxes(specs, edges, {})


def _spec(id_: str, names: Mapping[str, str], states: Mapping[str, str]) -> BoxSpec:
    if id_ in names:
        name, kind, state = names[id_], "asset", "none"
    else:
        name = id_.removeprefix(DAG_PREFIX)
        kind, state = "dag", states.get(name, "none")
    label = name if len(name) <= LABEL_LENGTH_MAX else "…" + name[1 - LABEL_LENGTH_MAX :]
    return BoxSpec(id_, label, f"{kind} {name}", state, kind)
