"""``assets``, on a home of its own with stored DAGs and no DAG files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tradewind.cli.main import run
from tradewind.database.bell import bell_folder
from tradewind.database.migrate import migrate
from tradewind.database.store import open_store
from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.scheduler.standby import FileLock
from tradewind.sdk import configuration
from tradewind.sdk.asset import Asset
from tradewind.sdk.serialized import (
    SerializedAsset,
    SerializedDag,
    SerializedTask,
    SerializedTimetable,
    encode,
)

AT = datetime(2024, 1, 1, tzinfo=UTC)
SOLD, SHARED = Asset("sold", "s3://sold"), Asset("shared", "s3://shared")


def serialized(dag_id, schedule=None, outlets=()):
    assets = [SerializedAsset(one.name, one.uri, extra={"k": 1}) for one in outlets]
    if dag_id == "sales":
        assets.append(SerializedAsset("any", "", is_alias=True))
    return SerializedDag(
        dag_id,
        "3",
        SerializedTimetable("null", can_be_scheduled=False),
        relative_fileloc="all.py",
        asset_expression=None if schedule is None else schedule.as_expression(),
        tasks=[SerializedTask("t", "PythonOperator", outlets=assets)],
    )


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setenv("TRADEWIND__CORE__LOAD_EXAMPLES", "False")
    monkeypatch.delenv("TRADEWIND__DATABASE__SQL_ALCHEMY_CONN", raising=False)
    configuration.reset()
    migrate()
    store = open_store()
    dags = [
        serialized("sales", outlets=[SOLD, SHARED]),
        serialized("stock", outlets=[SHARED]),
        serialized("report", schedule=SOLD),
    ]
    parsed = [ParsedDag(dag.dag_id, encode(dag)) for dag in dags]
    store.files.save(ParsedFile("all.py", "/dags/all.py", "1", AT, 0.1, parsed), AT)
    store.close()
    parser = FileLock(bell_folder(tmp_path) / "parser.lock")  # as if a server took in the folder
    assert parser.acquire()

    def called(*arguments):
        capsys.readouterr()
        code = run(["assets", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    yield called
    parser.release()
    configuration.reset()


def rows(answer):
    code, out, _ = answer
    assert code == 0
    return json.loads(out)


def test_assets_are_listed_in_airflows_columns(call):
    listed = rows(call("list", "-o", "json"))

    assert [row["name"] for row in listed] == ["shared", "sold"]
    assert listed[1] == {"name": "sold", "uri": "s3://sold", "group": "asset", "extra": {"k": "1"}}
    assert rows(call("list", "--columns", "uri", "-o", "json"))[0] == {"uri": "s3://shared"}
    assert rows(call("list", "--alias", "-o", "json")) == [
        {"name": "any", "group": "asset", "assets": []}
    ]


def test_details_name_who_makes_an_asset_and_who_waits_for_it(call):
    (row,) = rows(call("details", "--uri", "s3://sold", "-o", "json"))

    assert row["name"] == "sold"
    assert (row["producing_tasks"], row["scheduled_dags"]) == (["sales.t"], ["report"])
    assert rows(call("details", "--alias", "--name", "any", "-o", "json"))[0]["name"] == "any"


def test_an_asset_is_made_by_a_run_of_its_dag(call):
    code, out, err = call("materialize", "--name", "sold", "-o", "json")

    assert code == 0
    assert "DAG sales is paused" in err
    (row,) = json.loads(out)
    assert (row["dag_id"], row["run_type"], row["state"]) == (
        "sales",
        "asset_materialization",
        "queued",
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("details", "Either --name or --uri is required"),
        ("details --name nope", "Asset with name nope does not exist."),
        ("details --alias --name nope", "Asset alias with name nope does not exist."),
        ("details --alias --uri nope", "An alias is named by --name alone"),
        ("materialize --uri nope", "Asset with URI nope does not exist."),
        ("materialize --name shared", "More than one DAG materializes asset with name shared"),
    ],
)
def test_a_refusal_is_one_line(call, arguments, text):
    code, out, err = call(*arguments.split())

    assert (code, out) == (1, "")
    assert err.startswith(text)
    assert err.count("\n") == 1
