"""Sensors and triggers: ours stand at every path that they ever had."""

from __future__ import annotations

_STANDARD = "providers.standard."

WAITING: tuple[tuple[str, str, str], ...] = (
    (
        "sdk.base_sensor",
        "BaseSensorOperator PokeReturnValue",
        "sdk sdk.bases.sensor sensors.base",
    ),
    ("sdk.base_sensor", "poke_mode_only", "sdk.bases.sensor sensors.base"),
    ("sdk.base_sensor", "BaseSensorOperator", "sensors.base_sensor_operator operators.sensors"),
    (
        "operators.sensors.date_time",
        "DateTimeSensor DateTimeSensorAsync",
        f"sensors.date_time {_STANDARD}sensors.date_time",
    ),
    ("operators.sensors.date_time", "DateTimeSensor", "sensors.date_time_sensor"),
    (
        "operators.sensors.time_of_day",
        "TimeSensor TimeSensorAsync",
        f"sensors.time sensors.time_sensor {_STANDARD}sensors.time",
    ),
    (
        "operators.sensors.time_delta",
        "TimeDeltaSensor TimeDeltaSensorAsync WaitSensor",
        f"sensors.time_delta {_STANDARD}sensors.time_delta",
    ),
    ("operators.sensors.time_delta", "TimeDeltaSensor", "sensors.time_delta_sensor"),
    (
        "operators.sensors.day_of_week",
        "DayOfWeekSensor",
        f"sensors.weekday contrib.sensors.weekday_sensor {_STANDARD}sensors.weekday",
    ),
    (
        "operators.sensors.python",
        "PythonSensor",
        "sensors.python sensors.python_sensor contrib.sensors.python_sensor "
        f"{_STANDARD}sensors.python",
    ),
    (
        "operators.sensors.bash",
        "BashSensor",
        f"sensors.bash contrib.sensors.bash_sensor {_STANDARD}sensors.bash",
    ),
    (
        "operators.sensors.file",
        "FileSensor",
        f"sensors.filesystem contrib.sensors.file_sensor {_STANDARD}sensors.filesystem",
    ),
    (
        "operators.sensors.external_task",
        "ExternalTaskMarker ExternalTaskSensor",
        "sensors.external_task sensors.external_task_sensor operators.sensors "
        f"{_STANDARD}sensors.external_task",
    ),
    ("sdk.weekday", "WeekDay", f"utils.weekday {_STANDARD}utils.weekday"),
    (
        "sdk.exceptions",
        "ExternalTaskFailedError ExternalTaskGroupFailedError",
        f"{_STANDARD}exceptions",
    ),
    (
        "operators.branch_day_of_week",
        "BranchDayOfWeekOperator",
        f"operators.weekday {_STANDARD}operators.weekday",
    ),
    (
        "operators.branch_date_time",
        "BranchDateTimeOperator",
        f"operators.datetime {_STANDARD}operators.datetime",
    ),
    (
        "sdk.triggers",
        "BaseEventTrigger BaseTaskEndEvent BaseTrigger StartTriggerArgs TaskFailedEvent "
        "TaskSkippedEvent TaskSuccessEvent TriggerEvent",
        "triggers.base",
    ),
    (
        "operators.triggers.temporal",
        "DateTimeTrigger TimeDeltaTrigger",
        f"triggers.temporal {_STANDARD}triggers.temporal",
    ),
    (
        "operators.triggers.file",
        "DirectoryFileDeleteTrigger FileDeleteTrigger FileTrigger",
        f"triggers.file {_STANDARD}triggers.file",
    ),
    (
        "operators.triggers.external_task",
        "DagStateTrigger WorkflowTrigger",
        f"triggers.external_task {_STANDARD}triggers.external_task",
    ),
)
