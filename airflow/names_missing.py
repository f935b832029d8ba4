"""Modules of Airflow of which Tradewind has nothing yet.

They can be imported; asking one of them for a name is an ImportError that says so. A module that
gets its first name leaves this list.
"""

from __future__ import annotations

_SENSORS = "bash date_time external_task filesystem python time time_delta weekday"

#: (package below ``airflow``, modules in it)
_MISSING = (
    ("contrib", "hooks operators sensors"),
    ("contrib.sensors", "bash_sensor file_sensor python_sensor weekday_sensor"),
    ("io", "path"),
    ("listeners", "types"),
    (
        "operators",
        "datetime email email_operator generic_transfer sensors smooth subdag subdag_operator "
        "weekday",
    ),
    ("providers.standard.operators", "datetime hitl smooth weekday"),
    ("providers.standard.sensors", _SENSORS),
    ("providers.standard.triggers", "external_task file hitl temporal"),
    ("sdk.bases", "sensor"),
    ("sdk.definitions", "callback deadline retry_policy"),
    ("sdk.io", "path"),
    ("sensors", _SENSORS),
    (
        "sensors",
        "base base_sensor_operator date_time_sensor external_task_sensor http_sensor "
        "python_sensor smart_sensor sql sql_sensor time_delta_sensor time_sensor web_hdfs_sensor",
    ),
    ("triggers", "base callback deadline external_task file temporal testing"),
    ("utils", "email"),
)

NOT_YET: frozenset[str] = frozenset(
    {f"airflow.{package}.{module}" for package, modules in _MISSING for module in modules.split()}
    | {
        "airflow.providers_manager",
        "airflow.sensors",
        "airflow.triggers",
        "airflow.partition_mappers",
    }
)
