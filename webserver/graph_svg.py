"""Writes the boxes of a graph: by the hundred, for which a template takes three times as long."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from .states import look_of

if TYPE_CHECKING:
    from .graph import Drawing, DrawnNode

MARGIN = 16
WITH_STATE = frozenset({"task", "group", "stack"})
#: Boxes that are no tasks, and the picture on them.
PICTURES = {"asset": "asset", "dag": "dags"}


def nodes_markup(
    drawing: Drawing, fold_url: Callable[[str], str], task_url: Callable[[str, str], str]
) -> Markup:
    """Return the boxes as SVG.

    Args:
        fold_url: group → the address that opens it.
        task_url: id and kind of a box → where it leads.
    """
    # Every text that comes from outside is escaped where it is put in.
    return Markup(  # noqa: S704
        "\n".join(
            _node(
                node, fold_url(node.id) if node.is_group else task_url(node.id, node.kind), n == 0
            )
            for n, node in enumerate(drawing.nodes)
        )
    )


def _node(node: DrawnNode, url: str, is_first: bool) -> str:
    id_, tip, box = escape(node.id), escape(node.tip), node.box
    look = look_of(node.state)
    words = id_ if node.kind == "task" else tip
    state = f", {look.label}" if node.kind in WITH_STATE else ""
    picture = PICTURES.get(node.kind)
    if picture:
        mark = f'<use href="#i-{picture}" x="8" y="9" width="14" height="14"/>'
    else:
        mark = (
            '<rect class="mark" x="7" y="8" width="16" height="16" rx="4"/>'
            f'<use href="#i-{look.icon}" x="8" y="9" width="14" height="14"/>'
        )
    shares = "".join(
        f'<rect class="share" data-state="{one}" x="{x}" y="27" width="{width}" height="3"/>'
        for one, x, width in node.shares
    )
    fold = f' data-fold="{id_}"' if node.is_group else ""
    return (
        f'<a class="node {node.kind}" data-id="{id_}" data-state="{node.state}" '
        f'href="{escape(url)}"{fold} tabindex="{0 if is_first else -1}" '
        f'aria-label="{words}{state}, {node.upstream} upstream, {node.downstream} downstream" '
        f'transform="translate({round(box.x + MARGIN, 1)} {round(box.y + MARGIN, 1)})">'
        f'<title>{tip}</title><rect class="box" width="{box.width}" height="{box.height}" '
        f'rx="{16 if node.kind == "asset" else 6}"/>{mark}'
        f'<text x="30" y="20.5">{"▸ " if node.is_group else ""}{escape(node.label)}</text>'
        f"{shares}</a>"
    )
