"""Timetables as plain data and back. A user's own class is never imported from here.

The scheduler works from what stands here. A custom timetable answers only where its DAG file is
imported, in the parser's child.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import TradewindError
from .asset_driven import AssetOrTimeSchedule, AssetTriggeredTimetable
from .base import Timetable
from .events import EventsTimetable
from .interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
from .simple import ContinuousTimetable, NullTimetable, OnceTimetable
from .trigger import CronTriggerTimetable, DeltaTriggerTimetable, MultipleCronTriggerTimetable

if TYPE_CHECKING:
    from ..serialized import SerializedTimetable

CUSTOM = "custom"

KINDS: Mapping[str, type[Timetable]] = {
    timetable.kind: timetable
    for timetable in (
        NullTimetable,
        OnceTimetable,
        ContinuousTimetable,
        CronDataIntervalTimetable,
        DeltaDataIntervalTimetable,
        CronTriggerTimetable,
        MultipleCronTriggerTimetable,
        DeltaTriggerTimetable,
        EventsTimetable,
        AssetTriggeredTimetable,
        AssetOrTimeSchedule,
    )
}


class CustomTimetable(TradewindError):
    """The timetable is a user's class: only the parser's child may build and ask it."""


def is_custom(timetable: Timetable) -> bool:
    """Tell whether a user's class answers, at the top or inside an ``AssetOrTimeSchedule``."""
    if isinstance(timetable, AssetOrTimeSchedule) and is_custom(timetable.timetable):
        return True
    return KINDS.get(timetable.kind) is not type(timetable)


def serialize_timetable(timetable: Timetable) -> SerializedTimetable:
    """Return the timetable as plain data.

    Of a user's class all attributes are kept that pages and limits need; what its ``serialize``
    gives is kept too where it is JSON, so that a change of it makes a new DAG version.
    """
    from ..serialized import SerializedTimetable

    custom = is_custom(timetable)
    data = _json_or_nothing(timetable) if custom else dump_timetable(timetable)["data"]
    return SerializedTimetable(
        kind=CUSTOM if custom else timetable.kind,
        data=data,
        class_path=f"{type(timetable).__module__}.{type(timetable).__qualname__}" if custom else "",
        summary=str(timetable.summary),
        description=timetable.description or "",
        periodic=bool(timetable.periodic),
        can_be_scheduled=bool(timetable.can_be_scheduled),
        active_runs_limit=timetable.active_runs_limit,
    )


def deserialize_timetable(serialized: SerializedTimetable) -> Timetable:
    """Build the timetable again.

    Raises:
        CustomTimetable: it is a user's class.
        TradewindError: its kind is unknown, as after a downgrade.
    """
    if serialized.kind == CUSTOM:
        raise CustomTimetable(f"{serialized.class_path} answers only where its DAG file is loaded")
    return load_timetable({"kind": serialized.kind, "data": serialized.data})


def dump_timetable(timetable: Timetable) -> dict[str, Any]:
    """Return kind and data of one of our timetables, as JSON values.

    The dialect is told only where it is not "3", as it mostly makes no difference.
    """
    data = timetable.serialize()
    if timetable.dialect != Timetable.dialect:
        data["dialect"] = timetable.dialect
    return {"kind": timetable.kind, "data": data}


def load_timetable(dumped: Mapping[str, Any]) -> Timetable:
    """Build one of our timetables again from what ``dump_timetable`` gave.

    Raises:
        TradewindError: its kind is unknown.
    """
    kind = KINDS.get(dumped["kind"])
    if kind is None:
        raise TradewindError(f"there is no timetable of kind {dumped['kind']!r} in this release")
    timetable = kind.deserialize(dumped["data"])
    timetable.dialect = dumped["data"].get("dialect", Timetable.dialect)
    return timetable


def _json_or_nothing(timetable: Timetable) -> dict[str, Any]:
    try:
        loaded = json.loads(json.dumps(timetable.serialize()))
    except (TypeError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {"data": loaded}
