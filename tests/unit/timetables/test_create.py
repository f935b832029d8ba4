"""From a schedule to its timetable, and to plain data and back: semantics 4.1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pendulum
import pytest
from dateutil.relativedelta import FR, relativedelta
from tradewind.sdk import configuration
from tradewind.sdk.exceptions import AirflowTimetableInvalid
from tradewind.sdk.serialized import SerializedTimetable
from tradewind.sdk.timetables.asset_driven import AssetOrTimeSchedule, AssetTriggeredTimetable
from tradewind.sdk.timetables.base import Timetable
from tradewind.sdk.timetables.create import TimetableSettings, create_timetable
from tradewind.sdk.timetables.events import EventsTimetable
from tradewind.sdk.timetables.interval import (
    CronDataIntervalTimetable,
    DeltaDataIntervalTimetable,
)
from tradewind.sdk.timetables.registry import (
    CustomTimetable,
    deserialize_timetable,
    is_custom,
    serialize_timetable,
)
from tradewind.sdk.timetables.simple import ContinuousTimetable, NullTimetable, OnceTimetable
from tradewind.sdk.timetables.trigger import (
    CronTriggerTimetable,
    DeltaTriggerTimetable,
    MultipleCronTriggerTimetable,
)

HOUR = timedelta(hours=1)
UNSET = TimetableSettings()


def create(schedule, dialect="3", settings=UNSET):
    return create_timetable(schedule, timezone=UTC, dialect=dialect, settings=settings)


@pytest.mark.parametrize(
    ("schedule", "in_two", "in_three"),
    [
        (None, NullTimetable, NullTimetable),
        ("@once", OnceTimetable, OnceTimetable),
        ("@continuous", ContinuousTimetable, ContinuousTimetable),
        ("@daily", CronDataIntervalTimetable, CronTriggerTimetable),
        ("0 5 * * *", CronDataIntervalTimetable, CronTriggerTimetable),
        (HOUR, DeltaDataIntervalTimetable, DeltaTriggerTimetable),
        (relativedelta(months=1), DeltaDataIntervalTimetable, DeltaTriggerTimetable),
    ],
)
def test_the_dialect_decides_what_a_schedule_becomes(schedule, in_two, in_three):
    assert type(create(schedule, "2")) is in_two
    assert type(create(schedule, "3")) is in_three


@pytest.mark.parametrize("dialect", ["2", "3"])
@pytest.mark.parametrize(
    ("cron_key", "delta_key", "cron_class", "delta_class"),
    [
        (True, None, CronDataIntervalTimetable, DeltaDataIntervalTimetable),
        (False, None, CronTriggerTimetable, DeltaTriggerTimetable),
        (True, False, CronDataIntervalTimetable, DeltaTriggerTimetable),
        (False, True, CronTriggerTimetable, DeltaDataIntervalTimetable),
    ],
)
def test_a_setting_overrides_the_dialect(dialect, cron_key, delta_key, cron_class, delta_class):
    settings = TimetableSettings(cron_key, delta_key)

    assert type(create("@daily", dialect, settings)) is cron_class
    assert type(create(HOUR, dialect, settings)) is delta_class


def test_the_settings_are_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS", "True")
    configuration.reset()

    timetable = create_timetable(HOUR, timezone=UTC, dialect="3")

    assert type(timetable) is DeltaDataIntervalTimetable


def test_a_timetable_is_used_as_it_is():
    timetable = CronTriggerTimetable("@daily")

    assert create(timetable, "2") is timetable
    assert timetable.dialect == "2"


@pytest.mark.parametrize("schedule", [5, object(), 1.5])
def test_what_is_no_schedule_is_refused(schedule):
    with pytest.raises(ValueError, match="is not a valid schedule"):
        create(schedule)


@pytest.mark.parametrize("preset", ["@annually", "@midnight", "@hourly", "@quarterly"])
def test_presets_are_valid(preset):
    create(preset).validate()


def test_a_bad_cron_expression_fails_only_when_it_is_validated():
    timetable = create("99 * * * *")

    with pytest.raises(AirflowTimetableInvalid):
        timetable.validate()


@pytest.mark.parametrize("delta", [timedelta(0), timedelta(hours=-1), relativedelta(days=-1)])
@pytest.mark.parametrize("dialect", ["2", "3"])
def test_a_length_that_does_not_move_time_on_is_refused(delta, dialect):
    with pytest.raises(AirflowTimetableInvalid, match="must be positive"):
        create(delta, dialect).validate()


def test_several_cron_triggers_need_at_least_one():
    with pytest.raises(ValueError, match="cron expression required"):
        MultipleCronTriggerTimetable(timezone="UTC")


def test_asset_timetables_cannot_be_nested():
    nested = AssetOrTimeSchedule(timetable=AssetTriggeredTimetable())

    with pytest.raises(AirflowTimetableInvalid, match="nest"):
        nested.validate()


def test_only_one_run_of_a_continuous_dag_is_active_at_once():
    assert serialize_timetable(ContinuousTimetable()).active_runs_limit == 1


TIMETABLES = [
    NullTimetable(),
    OnceTimetable(),
    ContinuousTimetable(),
    CronDataIntervalTimetable("0 5 * * *", timezone="Europe/Paris"),
    CronDataIntervalTimetable("@daily", timezone=pendulum.timezone("Asia/Kolkata")),
    CronDataIntervalTimetable("@daily", timezone=pendulum.FixedTimezone(19800)),
    DeltaDataIntervalTimetable(timedelta(hours=6, milliseconds=1)),
    DeltaDataIntervalTimetable(relativedelta(months=1, weekday=FR(-1), hour=0)),
    CronTriggerTimetable("@hourly", timezone="UTC", interval=HOUR, run_immediately=True),
    CronTriggerTimetable("@hourly", timezone="UTC", run_immediately=timedelta(minutes=1)),
    MultipleCronTriggerTimetable("@hourly", "@daily", timezone=ZoneInfo("Asia/Kolkata")),
    DeltaTriggerTimetable(HOUR, interval=timedelta(minutes=5)),
    EventsTimetable([datetime(2024, 1, 1, tzinfo=UTC)], restrict_to_events=True),
    AssetTriggeredTimetable(),
    AssetOrTimeSchedule(timetable=CronTriggerTimetable("@daily")),
]


@pytest.mark.parametrize("timetable", TIMETABLES, ids=lambda timetable: timetable.kind)
@pytest.mark.parametrize("dialect", ["2", "3"])
def test_a_timetable_comes_back_from_plain_data(timetable, dialect):
    import msgspec

    timetable.dialect = dialect
    encoded = msgspec.json.encode(serialize_timetable(timetable))

    loaded = deserialize_timetable(msgspec.json.decode(encoded, type=SerializedTimetable))

    assert loaded == timetable
    assert loaded.dialect == dialect
    assert hash(loaded) == hash(timetable)
    assert (loaded.summary, loaded.description) == (timetable.summary, timetable.description)


class Weekdays(Timetable):
    """A user's own timetable."""

    description = "on weekdays"

    def serialize(self):
        return {"holidays": ["2024-01-01"]}


class Unserializable(Weekdays):
    def serialize(self):
        return {"holidays": {object()}}


class Shifted(CronTriggerTimetable):
    """A user's subclass of one of ours keeps its kind, but is not ours."""


def test_a_timetable_of_a_user_is_never_built_by_the_scheduler():
    serialized = serialize_timetable(Weekdays())

    assert serialized.kind == "custom"
    assert serialized.class_path.endswith("Weekdays")
    assert serialized.data == {"holidays": ["2024-01-01"]}
    assert serialized.description == "on weekdays"
    with pytest.raises(CustomTimetable, match="Weekdays"):
        deserialize_timetable(serialized)


def test_what_is_not_json_is_left_out_of_a_custom_timetable():
    assert serialize_timetable(Unserializable()).data == {}


def test_a_subclass_of_ours_is_custom_also_inside_an_asset_schedule():
    assert is_custom(Shifted("@daily"))
    assert is_custom(AssetOrTimeSchedule(timetable=Shifted("@daily")))
    assert serialize_timetable(AssetOrTimeSchedule(timetable=Shifted("@daily"))).kind == "custom"
    assert not is_custom(AssetOrTimeSchedule(timetable=CronTriggerTimetable("@daily")))
