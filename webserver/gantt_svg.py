"""Writes the lanes of a Gantt: by the hundred, for which a template takes three times as long."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from .addresses import quoted
from .durations import duration_text
from .gantt import Bar, Lane
from .states import look_of


def lanes_markup(
    lanes: Sequence[Lane], instances_url: str, fold_url: Callable[[str], str]
) -> Markup:
    """Return the lanes as HTML.

    Args:
        instances_url: what stands before a quoted task id in the address of its instance.
        fold_url: group → the address that unfolds it.
    """
    # Every text that comes from outside is escaped where it is put in.
    return Markup("\n".join(_lane(lane, instances_url, fold_url) for lane in lanes))  # noqa: S704


def _lane(lane: Lane, instances_url: str, fold_url: Callable[[str], str]) -> str:
    id_, length = escape(lane.id), duration_text(lane.length_s)
    words = f"{id_}: {look_of(lane.state).label}, {length}"
    if lane.is_group:
        link = (
            f'<a href="{escape(fold_url(lane.id))}" title="Unfold {id_}">'
            f"▸ {id_} ({lane.instances})</a>"
        )
    else:
        many = f" [\N{MULTIPLICATION SIGN} {lane.instances}]" if lane.instances > 1 else ""
        link = f'<a href="{instances_url}{quoted(lane.id)}" title="{words}">{id_}{many}</a>'
    bars = "".join(_bar(bar, lane) for bar in lane.bars)
    return (
        f'<div class="lane" data-state="{lane.state}" data-task="{id_}">{link}\n'
        f'<svg role="img" aria-label="{words}">{bars}{_label(lane, length)}</svg></div>'
    )


def _bar(bar: Bar, lane: Lane) -> str:
    waited = (
        f'<line class="wait" x1="{bar.wait_x}%" x2="{bar.x}%" y1="12" y2="12"/>'
        if bar.x > bar.wait_x
        else ""
    )
    kind = "ghost" if bar.is_earlier else "run critical" if lane.is_critical else "run"
    title = f"{duration_text(bar.length_s)}, {look_of(bar.state).label}"
    if lane.spread_s:
        shortest, middle, longest = map(duration_text, lane.spread_s)
        title += f"; of {lane.instances}: shortest {shortest}, median {middle}, longest {longest}"
    return (
        f'{waited}<g data-state="{bar.state}"><rect class="{kind}" x="{bar.x}%" '
        f'width="{bar.width}%" y="5" height="14" rx="3"><title>{title}</title></rect></g>'
    )


def _label(lane: Lane, length: str) -> str:
    if not lane.label:
        return ""
    at, side = lane.label
    place = 'dx="6" y="16"' if side == "after" else 'dx="-8" y="16" text-anchor="end"'
    return f'<text class="length {side}" x="{at}%" {place}>{length}</text>'
