"""How each state looks: shape of icon, colour, filled or hollow. One table for every page.

Success is quiet, everything else carries an icon; hollow means "has not started". ``icon`` is
the id of a symbol in ``templates/icons.html``. The colours stand in ``static/tokens.css``,
keyed by the same names. Source: ``spec/ui-design.md`` section 6.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateLook:
    """What a reader sees for one state: an icon and a word."""

    icon: str
    label: str


STATE_LOOKS: dict[str, StateLook] = {
    "none": StateLook("none", "No state yet"),
    "scheduled": StateLook("hourglass", "Scheduled"),
    "queued": StateLook("dots", "Queued"),
    "running": StateLook("play", "Running"),
    "success": StateLook("tick", "Success"),
    "failed": StateLook("cross", "Failed"),
    "skipped": StateLook("chevrons", "Skipped"),
    "upstream_failed": StateLook("up-bar", "Upstream failed"),
    "up_for_retry": StateLook("retry", "Up for retry"),
    "up_for_reschedule": StateLook("clock", "Up for reschedule"),
    "deferred": StateLook("pause", "Deferred"),
    "restarting": StateLook("arrow-right", "Restarting"),
    "removed": StateLook("dash", "Removed"),
}


def look_of(state: str | None) -> StateLook:
    """Return how *state* is shown; a state that the table lacks shows as its own name."""
    key = str(state or "none")
    return STATE_LOOKS.get(key) or StateLook("none", key.replace("_", " "))
