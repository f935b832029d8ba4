"""Commands that Airflow has and few people use: same home as ``test_commands``."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest
from tradewind.cli.dags_dependencies import as_graph
from tradewind.cli.dags_show import to_dot
from tradewind.control.dag_dependencies import DagDependency
from tradewind.database.store import open_store
from tradewind.sdk.clock import WallClock


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("dags clear sales --run-id nope -y", "no run with run id or logical date 'nope'"),
        ("dags clear sales --partition-key eu", "Runs have no partitions here"),
        ("dags list-jobs -d nope", "There is no DAG 'nope'."),
        ("dags show-dependencies -s /tmp/x.svg --imgcat", "Say --save or --imgcat, not both."),
        ("db downgrade -n 2.0.0 -y", "Name the revision to go back to by --to-revision"),
        ("connections add x --conn-type http --conn-extra {bad", "--conn-extra is not valid JSON"),
        ("pools set big 99999999999999999999 d", "A pool has 0 to 2147483647 slots"),
    ],
)
def test_a_refusal_is_one_line_on_stderr_and_exit_code_1(dag, call, line, text):
    code, out, err = call(line)

    assert (code, out) == (1, "")
    assert text in err
    assert err.count("\n") == 1


def test_a_run_is_cleared_by_its_id_or_its_date(dag, call):
    call("dags trigger sales -r monday -l 2024-01-05")

    assert call("dags clear sales --run-id monday -y")[:2] == (
        0,
        "Cleared 2 task instance(s) across 1 Dag run(s).\n",
    )
    assert call("dags clear sales --run-id 2024-01-05 -y")[0] == 0
    assert call("dags clear sales --run-id monday -f -y")[1] == "Nothing to clear.\n"


def test_services_are_listed_under_airflows_names_of_jobs(dag, call):
    store = open_store(clock=WallClock())
    store.processes.beat("scheduler", "s1", "here", 7, store.clock.now())
    store.close()

    code, out, _ = call("dags list-jobs -o json --state running")

    assert code == 0
    assert [(row["job_type"], row["state"]) for row in json.loads(out)] == [
        ("SchedulerJob", "running")
    ]
    assert json.loads(call("dags list-jobs -o json --state failed")[1]) == []


def test_default_connections_are_made_once(dag, call):
    assert "Created " in call("connections create-default-connections")[1]

    assert call("connections create-default-connections")[:2] == (0, "All of them exist already.\n")
    assert "postgres_default" in call("connections list")[1]


def test_users_and_roles_are_brought_up_to_date_with_the_rest(home, call):
    assert call("fab-db migrate")[:2] == (0, "Database migrating done!\n")


def test_dags_that_lead_to_each_other_are_drawn_once_each():
    graph = as_graph(
        [
            DagDependency("load", "asset:sales", "store"),
            DagDependency("asset:sales", "report"),
            DagDependency("report", "load", "again"),
        ]
    )

    assert [task.task_id for task in graph.tasks] == ["asset:sales", "report", "load"]
    assert '"report" -> "load" [label="again"]' in to_dot(graph)


def test_a_database_that_was_only_emptied_is_made_anew(dag, call):
    assert call("db reset -y --skip-init")[:2] == (0, "Database deleted.\n")

    assert call("db migrate")[:2] == (0, "Database migrating done!\n")


def test_a_database_that_cannot_grow_is_one_line_that_names_it(dag, home):
    (home / "variables.json").write_text(json.dumps({"key": "x" * 4_000_000}))
    command = f"{shlex.quote(sys.executable)} -c 'from tradewind.cli.main import main; main()'"

    ended = subprocess.run(
        ["bash", "-c", f"ulimit -f 2000; {command} variables import {home}/variables.json"],
        capture_output=True,
        text=True,
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"The database sqlite:///{home}/tradewind.db cannot be used: " in ended.stderr
    assert ended.stderr.count("\n") == 1
