"""The newest runs of a DAG in the list, as bars: a page has 700 of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from .addresses import dag_address, quoted
from .durations import duration_text
from .states import look_of

if TYPE_CHECKING:
    from ..database.values import BriefRun

HEIGHT_MIN, HEIGHT_MAX = 4, 24
WIDTH, BOX_HEIGHT = 7, 28


def bars_markup(runs: Sequence[BriefRun]) -> Markup:
    """Return one link a run, oldest first, as high as the run was long.

    Args:
        runs: of one DAG, newest first.
    """
    if not runs:
        return Markup()
    lengths = [_length_s(run) for run in runs]
    longest_s = max(lengths) or 1.0
    base = f"{dag_address(runs[0].dag_id)}/runs/"
    pairs = zip(reversed(runs), reversed(lengths), strict=True)
    # Every text that comes from outside is escaped where it is put in.
    return Markup("".join(_bar(run, length, longest_s, base) for run, length in pairs))  # noqa: S704


def _bar(run: BriefRun, length_s: float, longest_s: float, base: str) -> str:
    height = round(HEIGHT_MIN + length_s / longest_s * (HEIGHT_MAX - HEIGHT_MIN))
    words = f"{escape(run.run_id)}, {look_of(run.state).label}, {duration_text(length_s)}"
    foot = f'<rect class="bar" width="{WIDTH}" height="2" y="26"/>' if run.state == "failed" else ""
    return (
        f'<a href="{base}{quoted(run.run_id)}" title="{words}" aria-label="{words}">'
        f'<svg width="{WIDTH}" height="{BOX_HEIGHT}" data-state="{run.state}" aria-hidden="true">'
        f'<rect class="bar" width="{WIDTH}" height="{height}" y="{HEIGHT_MAX - height}" rx="1"/>'
        f"{foot}</svg></a>"
    )


def _length_s(run: BriefRun) -> float:
    if run.started_at is None or run.ended_at is None:
        return 0.0
    return max(0.0, (run.ended_at - run.started_at).total_seconds())
