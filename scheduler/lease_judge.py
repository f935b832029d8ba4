"""May leases be judged now? Only by a judge who was awake all the time (``reliability.md`` R4).

After a pause of this process, of the machine or of the database, and after a step of the clock,
workers may have been unable to renew: every lease gets a full period again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

#: How far wall clock and steady clock may drift apart between two ticks.
DRIFT_MAX_S = 1.0


class LeaseJudge:
    """Watches its own ticks by two clocks."""

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._last: tuple[datetime, float] | None = None
        self._awake_since_s = 0.0

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

    def may_judge(self, now_s: float) -> bool:
        """Tell whether the judge has been awake for a whole lease period."""
        return self._last is not None and now_s - self._awake_since_s >= 1.1 * self._lease_s
