"""Rest for what keeps failing: one bad object never stops a loop (``spec/reliability.md`` R14)."""

from __future__ import annotations

from ..sdk.clock import Clock

FIRST_HOLD_S = 0.5
HOLD_MAX_S = 300.0


class Quarantine:
    """Holds back named things after each failure, each time twice as long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[float, float]] = {}  # name → (until, length of the hold)

    def is_held(self, name: str) -> bool:
        """Tell whether *name* still has to rest."""
        held = self._held.get(name)
        return held is not None and self._clock.monotonic() < held[0]

    def hold(self, name: str) -> float:
        """Hold *name* back after a failure; return for how many seconds."""
        held = self._held.get(name)
        length_s = FIRST_HOLD_S if held is None else min(held[1] * 2, HOLD_MAX_S)
        self._held[name] = (self._clock.monotonic() + length_s, length_s)
        return length_s

    def release(self, name: str) -> None:
        """Forget the failures of *name*: it worked."""
        self._held.pop(name, None)
