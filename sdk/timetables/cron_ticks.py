"""The instants at which a cron expression fires in a time zone, through changes of the clock.

The expression is matched against the naive local clock, and each match *n* stands for instants:

*   The hour field says which hours (fixed wall time): exactly one instant. A time that the clock
    jumps over moves on by as much; one that the clock shows twice is the second.
*   The hour field is ``*`` (fixed distance): every instant at which the clock shows *n*. Where
    the clock is changed, the first tick from then on is still the old clock's, so that an hourly
    task waits for no more than an hour of real time, also where clocks move by half an hour.

The ticks are a set that does not depend on where one comes from: ``next`` and ``previous`` are
each other's reverse, so data intervals tile the time line.

Source: ``spec/semantics.md`` section 4.5, ``spec/reliability.md`` G-S4.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from ..exceptions import AirflowTimetableInvalid

if TYPE_CHECKING:
    from croniter import croniter

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

#: Longer than any change of an offset (Apia left out a whole day in 2011).
_REACH = timedelta(hours=25)
_NO_SHIFT = timedelta(0)
_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)


class CronNeverFires(AirflowTimetableInvalid):
    """The expression is well formed, but no day matches it (30 February)."""


class CronTicks:
    """The ticks of one expression in one zone. Instants go in and come out as plain UTC."""

    def __init__(self, expression: str, zone: tzinfo) -> None:
        """Take an expression of five to seven fields, or a preset. It is not checked yet."""
        self.expression = PRESETS.get(expression, expression)
        self.zone = zone
        self._parsed: croniter | None = None

    def validate(self) -> None:
        """Check the expression.

        Raises:
            AirflowTimetableInvalid: it is not a cron expression, or never fires.
        """
        self._cron()
        self.next(datetime(2000, 1, 1, tzinfo=UTC))

    @property
    def has_fixed_hours(self) -> bool:
        """Tell whether the hour field names hours, so that ticks follow the wall clock."""
        return bool(self._cron().expanded[1] != ["*"])

    def next(self, instant: datetime) -> datetime:
        """Return the first tick after *instant*.

        Raises:
            CronNeverFires: there is none within fifty years.
        """
        best: datetime | None = None
        last_local = None
        local = self._next_local(self._local(instant) - 2 * self._shift_near(instant))
        while last_local is None or local < last_local:
            for tick in self._instants(local):
                if tick > instant and (best is None or tick < best):
                    best = tick
            if best is not None and last_local is None:
                # Around a change of the clock a later match may be an earlier instant.
                last_local = local + 2 * self._shift_near(best)
                if last_local == local:
                    return best
            local = self._next_local(local)
        assert best is not None  # noqa: S101 - last_local is set together with it
        return best

    def previous(self, instant: datetime) -> datetime:
        """Return the last tick before *instant*.

        Raises:
            CronNeverFires: there is none within fifty years.
        """
        best: datetime | None = None
        first_local = None
        local = self._previous_local(self._local(instant) + 2 * self._shift_near(instant))
        while first_local is None or local > first_local:
            for tick in self._instants(local):
                if tick < instant and (best is None or tick > best):
                    best = tick
            if best is not None and first_local is None:
                first_local = local - 2 * self._shift_near(best)
                if first_local == local:
                    return best
            local = self._previous_local(local)
        assert best is not None  # noqa: S101 - first_local is set together with it
        return best

    def align_next(self, instant: datetime) -> datetime:
        """Return *instant* where it is a tick, else the next one."""
        return self.next(self.previous(instant))

    def align_previous(self, instant: datetime) -> datetime:
        """Return *instant* where it is a tick, else the one before."""
        return self.previous(self.next(instant))

    def _instants(self, local: datetime) -> Iterable[datetime]:
        """Return the instants that one match on the naive clock stands for."""
        first = local.replace(tzinfo=self.zone, fold=0).utcoffset() or _NO_SHIFT
        second = local.replace(tzinfo=self.zone, fold=1).utcoffset() or _NO_SHIFT
        unshifted = local.replace(tzinfo=UTC)
        if self.has_fixed_hours:  # jumped over: moved on; shown twice: the second
            return (unshifted - min(first, second),)
        before = self._offset(unshifted - first - _REACH)
        offsets = {first, second, before}
        return [at for offset in offsets if self._ticks_at(at := unshifted - offset, offset)]

    def _ticks_at(self, at: datetime, offset: timedelta) -> bool:
        """Tell whether *at*, where a clock with *offset* shows a match, is a tick (any hour)."""
        shown = self._offset(at)
        before = self._offset(at - _HOUR)
        if before != shown:
            changed_at = self._find_change(at - _HOUR, at)
            handover = self._next_local((changed_at - _SECOND + before).replace(tzinfo=None))
            handover_at = handover.replace(tzinfo=UTC) - before
            if handover_at - changed_at < _HOUR:
                if at == handover_at:
                    return True
                if at < handover_at:
                    return False
        return offset == shown

    def _find_change(self, before: datetime, after: datetime) -> datetime:
        """Return the second at which the clock is changed, between two instants."""
        old = self._offset(before)
        while after - before > _SECOND:
            middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
            if self._offset(middle) == old:
                before = middle
            else:
                after = middle
        return after

    def _shift_near(self, instant: datetime) -> timedelta:
        """Return by how much the clock is changed close to *instant*, nothing where it is not."""
        shift = abs(self._offset(instant + _REACH) - self._offset(instant - _REACH))
        if not shift:
            return _NO_SHIFT
        reach = 2 * (shift + _HOUR)
        if self._offset(instant + reach) == self._offset(instant - reach):
            return _NO_SHIFT
        return shift

    def _offset(self, instant: datetime) -> timedelta:
        return instant.astimezone(self.zone).utcoffset() or _NO_SHIFT

    def _local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone).replace(tzinfo=None, fold=0)

    def _next_local(self, local: datetime) -> datetime:
        return self._neighbour(local.replace(microsecond=0), is_next=True)

    def _previous_local(self, local: datetime) -> datetime:
        # croniter knows whole seconds: half a second past a tick, that tick is the one before.
        whole = local.replace(microsecond=0)
        return self._neighbour(whole if whole == local else whole + _SECOND, is_next=False)

    def _neighbour(self, local: datetime, *, is_next: bool) -> datetime:
        from croniter import CroniterBadDateError

        cron = self._cron()
        start = local.replace(tzinfo=UTC)
        try:
            if is_next:
                found: datetime = cron.get_next(datetime, start_time=start)
            else:
                found = cron.get_prev(datetime, start_time=start)
        except CroniterBadDateError as error:
            raise CronNeverFires(f"{self.expression!r} matches no date") from error
        return found.replace(tzinfo=None)

    def _cron(self) -> croniter:
        if self._parsed is None:
            from croniter import CroniterError, croniter

            try:
                self._parsed = croniter(self.expression)
            except (CroniterError, AttributeError, TypeError) as error:
                raise AirflowTimetableInvalid(str(error)) from error
        return self._parsed
