"""What of each operator is rendered: the fields and file endings that Airflow 3.3.2 reports.

``env_vars`` and commands of sensors that end in ``.sh`` are as they are given (semantics 2.8).
"""

from __future__ import annotations

import pytest
from airflow.providers.standard.operators import (
    bash,
    empty,
    latest_only,
    python,
    trigger_dagrun,
    weekday,
)
from airflow.providers.standard.operators import datetime as by_time
from airflow.providers.standard.sensors import bash as bash_sensor
from airflow.providers.standard.sensors import (
    date_time,
    external_task,
    filesystem,
    time,
    time_delta,
)
from airflow.providers.standard.sensors import python as python_sensor
from airflow.providers.standard.sensors import weekday as weekday_sensor

FUNCTION = {"templates_dict", "op_args", "op_kwargs"}
VIRTUALENV = {
    *FUNCTION,
    "requirements",
    "index_urls",
    "index_urls_from_connection_ids",
    "venv_cache_path",
}


@pytest.mark.parametrize(
    ("operator", "fields", "endings"),
    [
        (bash.BashOperator, {"bash_command", "env", "cwd"}, {".sh", ".bash"}),
        (python.PythonOperator, FUNCTION, set()),
        (python.BranchPythonOperator, FUNCTION, set()),
        (python.ShortCircuitOperator, FUNCTION, set()),
        (python.PythonVirtualenvOperator, VIRTUALENV, {".txt"}),
        (python.BranchPythonVirtualenvOperator, VIRTUALENV, {".txt"}),
        (python.ExternalPythonOperator, {*FUNCTION, "python"}, set()),
        (python.BranchExternalPythonOperator, {*FUNCTION, "python"}, set()),
        (empty.EmptyOperator, set(), set()),
        (latest_only.LatestOnlyOperator, set(), set()),
        (by_time.BranchDateTimeOperator, set(), set()),
        (weekday.BranchDayOfWeekOperator, set(), set()),
        (
            trigger_dagrun.TriggerDagRunOperator,
            {
                "trigger_dag_id",
                "trigger_run_id",
                "logical_date",
                "conf",
                "wait_for_completion",
                "skip_when_already_exists",
            },
            set(),
        ),
        (date_time.DateTimeSensor, {"target_time"}, set()),
        (date_time.DateTimeSensorAsync, {"target_time"}, set()),
        (time.TimeSensor, set(), set()),
        (time_delta.TimeDeltaSensor, {"delta"}, set()),
        (time_delta.WaitSensor, {"time_to_wait"}, set()),
        (weekday_sensor.DayOfWeekSensor, set(), set()),
        (python_sensor.PythonSensor, FUNCTION, set()),
        (bash_sensor.BashSensor, {"bash_command", "env"}, set()),
        (filesystem.FileSensor, {"filepath", "fs_conn_id"}, set()),
        (
            external_task.ExternalTaskMarker,
            {"external_dag_id", "external_task_id", "logical_date"},
            set(),
        ),
        (
            external_task.ExternalTaskSensor,
            {
                "external_dag_id",
                "external_task_id",
                "external_task_ids",
                "external_task_group_id",
            },
            set(),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_operator_renders_what_airflow_renders(operator, fields, endings):
    assert set(operator.template_fields) == fields
    assert set(operator.template_ext) == endings
