"""A country changes its clocks: runs that were made stay, the next follow the new rule (F5)."""

from __future__ import annotations

import struct
import zoneinfo
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from tradewind.sdk.timetables.base import DataInterval, TimeRestriction
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable
from tradewind.sdk.timetables.trigger import CronTriggerTimetable

ZONE = "Test/Place"
RESTRICTION = TimeRestriction(datetime(2030, 1, 1, tzinfo=UTC), None, catchup=True)
LAST = datetime(2030, 3, 1, 8, tzinfo=UTC)  # 9:00 under the old rule


@pytest.fixture
def rules(tmp_path):
    """Give a zone of the test's own a rule, as a newer zone database does."""
    path = tmp_path / ZONE
    path.parent.mkdir()

    def change(posix: str) -> None:
        header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
        block = header + struct.pack(">lbb4s", 0, 0, 0, b"LMT\0")
        path.write_bytes(block + block + b"\n" + posix.encode() + b"\n")
        zoneinfo.ZoneInfo.clear_cache(only_keys=[ZONE])

    zoneinfo.reset_tzpath(to=[tmp_path])
    yield change
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache(only_keys=[ZONE])


@pytest.mark.parametrize("timetable", [CronDataIntervalTimetable, CronTriggerTimetable])
@pytest.mark.parametrize(
    ("new", "hour"),
    [("<+02>-2", 7), ("<+00>0", 9), ("<+14>-14", 19), ("<-11>11", 20)],
)
def test_no_slot_comes_twice_and_none_before_the_last(rules, timetable, new, hour):
    last = DataInterval(LAST - timedelta(days=1), LAST)
    if timetable is CronTriggerTimetable:
        last = DataInterval(LAST, LAST)
    rules("<+01>-1")
    assert following(timetable, last).end == LAST + timedelta(days=1)
    rules(new)

    slots = [last]
    for _ in range(3):
        slots.append(following(timetable, slots[-1]))

    ends = [one.end for one in slots]
    assert all(later > earlier for earlier, later in pairwise(ends))
    assert all(end.hour == hour for end in ends[1:])
    if timetable is CronDataIntervalTimetable:  # no gap; the first covers some hours once more
        assert slots[1].start <= LAST
        assert all(later.start == earlier.end for earlier, later in pairwise(slots[1:]))


def following(timetable, last: DataInterval) -> DataInterval:
    """Return the slot after *last* as a process that has just started sees it."""
    made = timetable("0 9 * * *", timezone=ZONE)
    info = made.next_dagrun_info(last_automated_data_interval=last, restriction=RESTRICTION)
    return info.data_interval
