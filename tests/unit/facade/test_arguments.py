"""Every argument that public DAG files give to DAGs and operators is taken."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.decorators import dag
from airflow.models import BaseOperator

from airflow import DAG

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "dag-arguments.csv").open()))

VALUES = {
    "start_date": datetime(2024, 1, 1, tzinfo=UTC),
    "end_date": datetime(2024, 1, 2, tzinfo=UTC),
    "default_args": {"owner": "ada"},
    "dagrun_timeout": timedelta(hours=1),
    "tags": ["a"],
    "params": {"p": 1},
    "catchup": False,
    "max_active_runs": 1,
    "max_active_tasks": 1,
    "max_consecutive_failed_dag_runs": 1,
    "concurrency": 1,
    "fail_fast": True,
    "fail_stop": True,
    "is_paused_upon_creation": True,
    "render_template_as_native_obj": True,
    "template_searchpath": ["/tmp"],
    "default_view": "graph",
    "dag_display_name": "shown",
    "description": "text",
    "doc_md": "text",
    "owner_links": {"ada": "https://example.com"},
    "user_defined_macros": {"f": len},
    "retries": 1,
    "email": "ada@example.com",
    "execution_timeout": timedelta(hours=1),
    "retry_delay": timedelta(hours=1),
    "trigger_rule": "all_done",
    "sla": timedelta(hours=1),
    "pool": "p",
    "pool_slots": 2,
    "queue": "q",
    "priority_weight": 2,
    "weight_rule": "upstream",
}


def names(*kinds):
    return sorted(
        {
            row["name"]
            for row in ROWS
            if row["kind"] in kinds
            and row["name"].isidentifier()
            and row["name"] not in ("dag_id", "task_id", "dag", "task_group")
        }
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", names("dag", "dag_decorator"))
def test_a_dag_takes_it(name):
    given = {name: VALUES.get(name)}

    made = DAG("d", **given)
    decorated = dag("e", **given)(lambda: None)()

    assert (made.dag_id, decorated.dag_id) == ("d", "e")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", names("operator"))
def test_an_operator_takes_it(name):
    assert BaseOperator(task_id="t", **{name: VALUES.get(name)}).task_id == "t"
