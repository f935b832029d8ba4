"""Checkable examples 9: templates, at the logical date 2024-03-05T10:30:15Z."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.operators.python import PythonOperator

LOGICAL_DATE = datetime(2024, 3, 5, 10, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param(
            "{{ ds }} {{ ts_nodash_with_tz }}", "2024-03-05 20240305T103015+0000", id="9.1"
        ),
        pytest.param("{{ macros.ds_add(ds,5) }}", "2024-03-10", id="9.2 add"),
        pytest.param(
            '{{ macros.ds_format(ds,"%Y-%m-%d","%d/%m/%y") }}', "05/03/24", id="9.2 format"
        ),
        pytest.param("{{ task_instance_key_str }}", "exp2__r2__20240305", id="9.3"),
        pytest.param('{{ var.value.get("nope","dflt") }}', "dflt", id="9.4 default"),
        pytest.param("{{ var.json.j.k[1] }}", "2", id="9.4 json"),
        pytest.param('{{ conn.get("nope", none) }}', "None", id="9.5"),
        pytest.param("{{ prev_data_interval_start_success }}", "None", id="9.6"),
    ],
)
def test_example_9_templates(make_dag, run, monkeypatch, template, expected):
    monkeypatch.setenv("AIRFLOW_VAR_J", '{"k":[1,2]}')
    seen = []
    dag = make_dag("exp2", schedule=None)
    PythonOperator(task_id="r2", python_callable=seen.append, op_args=[template], dag=dag)

    assert run(dag, logical_date=LOGICAL_DATE)["r2"] == "success"
    assert seen == [expected]


def test_example_9_7_a_name_that_is_undefined(dag, run):
    PythonOperator(
        task_id="t", python_callable=print, op_args=["{{ undefined_name }}"], retries=0, dag=dag
    )

    assert run(dag, logical_date=LOGICAL_DATE)["t"] == "failed"
