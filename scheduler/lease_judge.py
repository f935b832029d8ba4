"""Whose lease is over? Judged only by who was awake all the time (``reliability.md`` R4).

After a pause of this process, of the machine or of the database, and after a step of the clock,
workers may have been unable to renew: every lease gets a full period again. A lease is over that
was looked at again and again, on the steady clock, and did not change: what the judge once read
from a wall clock may be wrong by the time that it acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

#: How far wall clock and steady clock may drift apart between two ticks.
DRIFT_MAX_S = 1.0


class LeaseJudge:
    """Watches its own ticks by two clocks."""

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._last: tuple[datetime, float] | None = None
        self._awake_since_s = 0.0
        self._seen: dict[str, tuple[datetime, float]] = {}

    def tick(self, now: datetime, now_s: float) -> bool:
        """Note one successful tick; True if nothing was missed since the one before."""
        last, self._last = self._last, (now, now_s)
        is_continuous = False
        if last is not None:
            passed_s = now_s - last[1]
            drift_s = abs((now - last[0] - timedelta(seconds=passed_s)).total_seconds())
            is_continuous = passed_s <= self._lease_s / 3 and drift_s <= DRIFT_MAX_S
        if not is_continuous:
            self._awake_since_s = now_s
        return is_continuous

    def overdue(self, leases: Mapping[str, datetime], now_s: float) -> dict[str, datetime]:
        """Return the leases that nobody renewed for more than one period of unbroken watching.

        Args:
            leases: of all who live: until when each was given, as was just read.
        """
        seen: dict[str, tuple[datetime, float]] = {}
        for worker_id, until_at in leases.items():
            known_at, since_s = self._seen.get(worker_id, (until_at, now_s))
            seen[worker_id] = (until_at, since_s if known_at == until_at else now_s)
        self._seen = seen
        return {
            worker_id: until_at
            for worker_id, (until_at, since_s) in seen.items()
            if now_s - max(since_s, self._awake_since_s) >= 1.1 * self._lease_s
        }
