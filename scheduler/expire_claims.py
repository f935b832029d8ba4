"""Step: take back task instances that were queued and never claimed.

They get a new epoch and are scheduled again; their try is not used.
"""

from __future__ import annotations

import logging

from .step import Store, Tick

log = logging.getLogger(__name__)


class ExpireClaims:
    """The deadline is the store's (setting ``[scheduler] claim_deadline_s``)."""

    name = "expire claims"

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, tick: Tick) -> None:
        """Look in sweeps only: a deadline of a minute needs no better."""
        if not tick.is_sweep:
            return
        count = self._store.attempts.expire_claims(tick.now)
        if count:
            tick.changed = True
            log.warning("%d queued task instances were not claimed in time; queued again", count)
