"""Writes the lines of the list of DAGs: a template takes three times as long for fifty of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask import url_for
from markupsafe import Markup, escape

from .addresses import dag_address, quoted
from .auth import csrf_token, may
from .durations import ago_text
from .preferences import in_zone
from .recent_bars import bars_markup
from .states import look_of

if TYPE_CHECKING:
    from ..database.values import BriefRun, DagRow

#: Nobody needs to be told that Airflow's default owner owns a DAG.
DEFAULT_OWNERS = frozenset({"", "airflow"})
NO_SCHEDULE = frozenset({"", "None"})
#: A run that is due and not made so much later is told of in red.
LATE_AFTER = timedelta(seconds=60)
NOTHING = "\N{EN DASH}"
PAUSED, ACTIVE = '<span class="note">Paused</span>', '<span class="note">Active</span>'


def icon(name: str) -> str:
    """Return a symbol of ``icons.html``."""
    return f'<svg class="icon" aria-hidden="true"><use href="#i-{name}"/></svg>'


def pill(state: str) -> str:
    """Return a state as icon and word."""
    look = look_of(state)
    return f'<span class="pill" data-state="{state}">{icon(look.icon)}{escape(look.label)}</span>'


def rows_markup(
    dags: Sequence[DagRow],
    recent: Mapping[str, Sequence[BriefRun]],
    favorites: frozenset[str] | None,
    now: datetime,
) -> Markup:
    """Return the lines of a page.

    Args:
        recent: newest runs of each DAG, newest first.
        favorites: what the reader has marked; None: nobody is signed in.
    """
    can_act = may("edit")
    index = url_for("dags.index")
    token = f'<input type="hidden" name="csrf_token" value="{escape(csrf_token())}">'
    # Every text that comes from outside is escaped where it is put in.
    return Markup(  # noqa: S704
        "\n".join(
            "<tr>"
            + (_pick(dag.dag_id) if can_act else "")
            + f'<td class="c-switch">{switch(dag, "list")}</td>'
            + f'<td class="c-name">{_name(dag, _star(dag, favorites, token), index)}</td>'
            + f'<td class="c-schedule">{_schedule(dag)}</td>'
            + f'<td class="c-next">{_next_run(dag, now)}</td>'
            + f'<td class="c-last">{_last_run(recent[dag.dag_id], now)}</td>'
            + f'<td class="c-bars"><span class="bars">{bars_markup(recent[dag.dag_id])}</span></td>'
            + (f'<td class="c-act">{_trigger(dag)}</td>' if can_act else "")
            + "</tr>"
            for dag in dags
        )
    )


def switch(dag: DagRow, back: str) -> Markup:
    """Return the pause switch of a DAG, or the word where the reader may not use it.

    Args:
        back: where it leads back to: "list" or "dag".
    """
    if not may("edit", dag.dag_id):
        return Markup(PAUSED if dag.is_paused else ACTIVE)  # noqa: S704 - no text from outside
    id_, base = escape(dag.dag_id), dag_address(dag.dag_id)
    confirm = f' data-confirm="{base}/confirm-active?back={back}"' if dag.is_paused else ""
    state, is_on = ("paused", "false") if dag.is_paused else ("active", "true")
    title = "Paused: switch on" if dag.is_paused else "Active: pause"
    return Markup(  # noqa: S704 - escaped above
        f'<form class="inline" method="post" action="{base}/paused"{confirm}>'
        f'<input type="hidden" name="csrf_token" value="{escape(csrf_token())}">'
        f'<input type="hidden" name="is_paused" value="{"false" if dag.is_paused else "true"}">'
        f'<input type="hidden" name="back" value="{back}">'
        f'<button class="switch" id="pause-{id_}" type="submit" role="switch" '
        f'aria-checked="{is_on}" aria-label="{id_} is {state}" title="{title}"><span></span>'
        "</button></form>"
    )


def _pick(dag_id: str) -> str:
    item = escape(json.dumps([dag_id]))
    return (
        f'<td class="pick"><input type="checkbox" form="bulk" name="item" data-pick value="{item}" '
        f'aria-label="Choose {escape(dag_id)}"></td>'
    )


def _star(dag: DagRow, favorites: frozenset[str] | None, token: str) -> str:
    if favorites is None:
        return ""
    is_marked = dag.dag_id in favorites
    id_ = escape(dag.dag_id)
    words = f"Take {id_} from your favourites" if is_marked else f"Make {id_} a favourite"
    return (
        f'<form class="inline" method="post" action="{dag_address(dag.dag_id)}/favorite">{token}'
        f'<input type="hidden" name="is_favorite" value="{"false" if is_marked else "true"}">'
        f'<button class="star" id="star-{id_}" type="submit" aria-label="{words}" title="{words}" '
        f'aria-pressed="{"true" if is_marked else "false"}">{icon("star")}</button></form>'
    )


def _name(dag: DagRow, star: str, index: str) -> str:
    name = escape(dag.dag_display_name or dag.dag_id)
    tags = "".join(
        f' <a class="tag" href="{index}?tag={quoted(tag)}">{escape(tag)}</a>' for tag in dag.tags
    )
    about = str(escape(dag.description or ""))
    if dag.owners not in DEFAULT_OWNERS:
        owner = f'<a href="{index}?owner={quoted(dag.owners)}">{escape(dag.owners)}</a>'
        about += f" · {owner}" if about else owner
    note = f'<div class="note clip">{about}</div>' if about else ""
    link = f'<a href="{dag_address(dag.dag_id)}"><strong>{name}</strong></a>'
    return f'<div class="name">{star}<div class="what"><div>{link}{tags}</div>{note}</div></div>'


def _schedule(dag: DagRow) -> str:
    summary = dag.timetable_summary
    if summary in NO_SCHEDULE:
        return '<span class="note">none</span>'
    words = dag.timetable_description
    below = f'<div class="note">{escape(words)}</div>' if words and words != summary else ""
    return f"<code>{escape(summary)}</code>{below}"


def _next_run(dag: DagRow, now: datetime) -> str:
    if dag.is_paused:
        return '<span class="note">paused</span>'
    at = dag.next_run_after
    if at is None:
        return NOTHING
    if now - at > LATE_AFTER:
        return f'{_time(at)}<div class="note late">due since {ago_text(now - at)[3:]}</div>'
    return f'{_time(at)}<div class="note">{ago_text(at - now)}</div>'


def _last_run(runs: Sequence[BriefRun], now: datetime) -> str:
    if not runs:
        return NOTHING
    run = runs[0]
    url = f"{dag_address(run.dag_id)}/runs/{quoted(run.run_id)}"
    ended = run.ended_at or run.started_at
    since = f'<div class="note">{ago_text(min(ended - now, -timedelta()))}</div>' if ended else ""
    return f'<a class="plainlink" href="{url}">{pill(run.state)}</a>{since}'


def _trigger(dag: DagRow) -> str:
    if not may("edit", dag.dag_id):
        return ""
    return (
        f'<a class="button" href="{dag_address(dag.dag_id)}/trigger" '
        f'aria-label="Trigger {escape(dag.dag_id)}" title="Trigger…">{icon("play")}</a>'
    )


def _time(at: datetime) -> str:
    full = at.isoformat(sep=" ", timespec="seconds")
    return (
        f'<time datetime="{at.isoformat()}" title="{full}">'
        f"{in_zone(at).strftime('%b %d, %H:%M')}</time>"
    )
