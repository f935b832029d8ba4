"""Commands in this process, on a home of their own with one stored DAG and no DAG files."""

from __future__ import annotations

import json
import sqlite3

import pytest
from tradewind.database.store import open_store
from tradewind.sdk import configuration


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("dags trigger nope", "There is no DAG 'nope'."),
        ("dags list-runs nope", "There is no DAG 'nope'."),
        ("dags state nope 2024-01-01", "There is no DAG 'nope'."),
        ("dags next-execution nope", "There is no DAG 'nope'."),
        ("dags delete nope -y", "There is no DAG 'nope'."),
        ("dags test nope", "There is no DAG 'nope' in"),
        ("dags trigger sales -c {bad", "--conf is not valid JSON"),
        ("dags trigger sales -c [1]", "--conf must be a JSON object"),
        ("dags trigger sales -r a/b", "run id 'a/b'"),
        ("dags backfill sales", "Provide a start_date and/or end_date"),
        ("dags delete sales", "Say --yes: there is no terminal to ask at."),
        ("tasks list nope", "There is no DAG 'nope'."),
        ("tasks state sales a nope", "no run with run id or logical date 'nope'"),
        ("tasks clear sales -y -t (", "is not a regular expression"),
        (
            "backfill create --dag-id sales --from-date 2024-02-01 --to-date 2024-01-01",
            "its first date lies after its last",
        ),
        ("backfill cancel 9", "There is no backfill 9."),
        ("variables get nope", "Variable nope does not exist"),
        ("variables import /nope.json", "There is no file /nope.json"),
        ("connections get nope", "Connection 'nope' not found."),
        ("connections delete nope", "Connection 'nope' not found."),
        ("connections add x", "Say --conn-uri, --conn-json or --conn-type."),
        ("connections add x --conn-uri a://b --conn-host c", "cannot be combined"),
        ("connections test x", "Testing connections is disabled"),
        ("pools get nope", "Pool nope does not exist"),
        ("pools delete default_pool", "default_pool cannot be deleted"),
        ("users delete -u nope", 'User "nope" does not exist'),
        ("users create -u u -f f -l l -e e -r King -p p", "King is not a valid role"),
        ("jobs check", "No alive jobs found."),
    ],
)
def test_a_refusal_is_one_line_on_stderr_and_exit_code_1(dag, call, line, text):
    code, out, err = call(line)

    assert (code, out) == (1, "")
    assert text in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("dags state sales 2024-01-01", "None\n"),
        ("dags pause sales", "No unpaused DAGs were found\n"),
        ("dags unpause nope", "No paused DAGs were found\n"),
        ("variables delete nope", "Variable nope does not exist\n"),
        ("config get-value core nope", ""),
        ("tasks clear sales -y", "Nothing to clear.\n"),
        ("tasks list sales", "a\nb\n"),
        ("tasks list sales -t", "<Task(BashOperator): a>\n    <Task(BashOperator): b>\n"),
        ("dags list-runs sales", "No data found\n"),
        ("dags list-import-errors", "No data found\n"),
        ("db check", "Connection successful.\n"),
        ("db migrate", "Database migrating done!\n"),
    ],
)
def test_nothing_to_do_is_success(dag, call, line, out):
    assert call(line)[:2] == (0, out)


@pytest.mark.parametrize(
    "line",
    ["dags list", "dags test nope", "variables list", "scheduler", "webserver", "db migrate"],
)
def test_airflows_own_database_is_refused_and_not_changed(home, call, monkeypatch, line):
    path = home / "airflow.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("CREATE TABLE slot_pool (id INTEGER)")
    before = path.read_bytes()
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{path}")

    code, out, err = call(line)

    assert (code, out) == (1, "")
    if line != "dags test nope":  # it needs no database
        assert "Apache Airflow's own database" in err
    assert path.read_bytes() == before


def test_a_database_of_airflow_that_only_an_old_file_names_is_left_alone(home, call, caplog):
    path = home / "airflow.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE slot_pool (id INTEGER)")
    before = path.read_bytes()
    (home / "airflow.cfg").write_text(f"[database]\nsql_alchemy_conn = sqlite:///{path}\n")

    assert call("variables set k v")[0] == 0

    assert path.read_bytes() == before
    assert (home / "tradewind.db").exists()
    assert "is Airflow's own database" in caplog.text


def test_a_triggered_run_is_printed_listed_and_recorded(dag, call):
    code, out, err = call("dags trigger sales -r mine -e 2024-01-02 -o json -c", '{"n": 1}')

    row = json.loads(out)[0]
    assert code == 0
    assert "is paused" in err
    assert (row["dag_run_id"], row["conf"], row["state"]) == ("mine", {"n": "1"}, "queued")
    assert call("dags state sales 2024-01-02")[1] == 'queued, {"n": 1}\n'
    assert json.loads(call("dags list-runs -d sales -o json")[1])[0]["run_id"] == "mine"
    assert call("tasks state sales a mine")[1] == "None\n"
    assert call("tasks failed-deps sales a mine")[1].startswith("Task instance dependencies not")
    store = open_store()
    assert [event.kind for event in store.events.list(kinds=["cli_dags_trigger"])] == [
        "cli_dags_trigger"
    ]
    store.close()


def test_both_generations_name_the_dag_and_the_date_as_they_like(dag, call):
    assert call("dags trigger sales --exec-date 2024-01-03T00:00:00")[0] == 0
    assert call("dags trigger sales --logical-date 2024-01-04T00:00:00")[0] == 0
    rows = json.loads(call("dags list-runs sales -s 2024-01-04 -o json")[1])
    assert [row["logical_date"] for row in rows] == ["2024-01-04T00:00:00+00:00"]


def test_unpausing_prints_the_new_value(dag, call):
    code, out, _ = call("dags unpause sales -o json")

    assert (code, json.loads(out)) == (0, [{"dag_id": "sales", "is_paused": "False"}])


def test_next_execution_prints_one_date_a_line_and_the_warning_elsewhere(dag, call):
    code, out, err = call("dags next-execution sales -n 2")

    assert code == 0
    assert len(out.splitlines()) == 2
    assert "PAUSED" in err


def test_a_dry_run_lists_the_runs_of_a_backfill_and_makes_none(dag, call):
    code, out, err = call(
        "backfill create --dag-id sales --from-date 2024-01-01 --to-date 2024-01-03 --dry-run "
        "-o json"
    )

    assert code == 0
    assert [row["logical_date"][:10] for row in json.loads(out)] == [
        "2024-01-01",
        "2024-01-02",
        "2024-01-03",
    ]
    assert "3 to run" in err
    assert call("dags list-runs sales -o json")[1] == "[]\n"


def test_the_graph_is_dot_text(dag, call):
    assert '"a" -> "b"' in call("dags show sales")[1]


def test_variables_connections_pools_and_users_by_command(dag, call, home):
    assert call("variables set k", '{"a": 1}')[1] == "Variable k created\n"
    assert call("variables get k -j")[1] == "{'a': 1}\n"
    assert json.loads(call("variables export -")[1]) == {"k": {"a": 1}}
    assert call("connections add c --conn-uri pg://u:hush@h")[1] == (
        "Successfully added `conn_id`=c\n"
    )
    assert "hush" not in call("connections get c -o json")[1]
    assert call("connections add c --conn-type http")[0] == 1
    assert call("pools set p -1 any")[1] == "Pool p created\n"
    assert json.loads(call("pools get p -o json")[1])[0]["slots"] == "-1"
    create = "users create -u ada -f A -l L -e a@b -r Viewer -p pw"
    assert call(create)[0] == 0
    assert call(create)[:2] == (0, "ada already exist in the db\n")
    assert json.loads(call("users list -o json")[1])[0]["roles"] == ["Viewer"]


def test_an_unknown_setting_is_reported_once_and_changes_nothing(dag, call, home):
    (home / "tradewind.cfg").write_text("[core]\nparalelism = 3\n")
    configuration.reset()

    code, _, err = call("variables list")

    assert code == 0
    assert err == "Note: These settings are not known and change nothing: [core] paralelism\n"


def test_a_setting_that_cannot_be_read_is_one_line(dag, call, monkeypatch):
    monkeypatch.setenv("TRADEWIND__CORE__PARALLELISM", "many")

    assert call("variables list") == (
        1,
        "",
        "[core] parallelism must be a whole number, not 'many' (from environment)\n",
    )


def test_settings_are_listed_without_secrets(home, call):
    code, out, _ = call("config list --section core -d")

    assert code == 0
    assert "fernet_key = < hidden >" in out
    assert not (home / "secrets").exists()
