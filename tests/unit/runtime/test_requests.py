"""What user code asks for, answered from a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from tradewind.database.migrate import migrate
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import ClaimRequest, NewRun, ParsedDag, ParsedFile, WorkerIdentity
from tradewind.runtime.supervise.processes import Reply
from tradewind.runtime.supervise.requests import answer, scope_of
from tradewind.runtime.task.recorded_inputs import fingerprint_value
from tradewind.sdk.clock import WallClock
from tradewind.sdk.serialized import (
    SerializedDag,
    SerializedParam,
    SerializedTask,
    SerializedTimetable,
    encode,
)

KEY = "bWluZSBvd24ga2V5IGZvciB0ZXN0cyBvbmx5ISEhISE="
NOW = WallClock().now()
XCOM = {"dag_id": "sales", "run_id": "r", "task_id": "extract", "map_index": -1}


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    settings = StoreSettings(f"sqlite:///{tmp_path}/t.db", fernet_key=KEY)
    migrate(settings)
    made = Store(settings)
    for dag_id in ("sales", "other"):
        dag = SerializedDag(
            dag_id=dag_id,
            dialect="2",
            timetable=SerializedTimetable("null"),
            relative_fileloc=f"{dag_id}.py",
            is_paused_upon_creation=dag_id == "other",
            tasks=[SerializedTask("extract", "BaseOperator", task_module="m")],
        )
        made.files.save(
            ParsedFile(
                relative_path=f"{dag_id}.py",
                path=f"/dags/{dag_id}.py",
                content_hash="hash",
                parsed_at=NOW,
                duration_s=0.1,
                dags=[ParsedDag(dag_id, encode(dag))],
            ),
            NOW,
        )
    yield made
    made.close()


@pytest.fixture
def ask(store) -> Callable[..., Reply]:
    """Ask as a task that runs."""
    store.workers.register(WorkerIdentity("w", "host", "boot", 1, 1.0, "LocalExecutor"), NOW)
    store.runs.create(NewRun("sales", "r", run_type="manual", run_after=NOW), NOW)
    store.runs.start_queued(NOW)
    (claim,) = store.attempts.claim(ClaimRequest("w", "LocalExecutor", 1), NOW)

    def asked(method: str, **arguments) -> Reply:
        return answer(method, arguments, store, scope_of(claim), NOW)

    return asked


def test_an_xcom_is_pushed_and_pulled(ask):
    assert ask("set_xcom", **XCOM, key="k", value='"v"', length=None).error == ""

    pulled = ask(
        "get_xcoms",
        dag_id="sales",
        run_id="r",
        task_ids=["extract"],
        key="k",
        map_indexes=None,
        include_prior_dates=False,
    )

    assert [row["value"] for row in pulled.value] == ['"v"']


def test_an_attempt_that_is_over_pushes_nothing(ask, store):
    from tradewind.database.selections import Selection

    store.task_instances.clear(Selection("sales", run_ids=["r"]), NOW, "user:ann")

    assert "over" in ask("set_xcom", **XCOM, key="k", value='"v"', length=None).error
    assert store.xcoms.list("sales", "r", "extract") == []


def test_a_variable_is_written_read_and_removed(ask):
    ask("set_variable", key="place", value="harbour", description=None)

    assert ask("get_variable", key="place").value == "harbour"
    assert ask("delete_variable", key="place").value is True
    assert ask("get_variable", key="place").value is None


def test_a_run_is_triggered_once_by_its_run_id(ask, store):
    trigger = {
        "dag_id": "other",
        "run_id": "mine",
        "logical_date": None,
        "run_after": None,
        "conf": {"a": 1},
        "reset": False,
        "note": None,
        "fail_when_paused": False,
    }

    first = ask("trigger_dag_run", **trigger)
    second = ask("trigger_dag_run", **trigger)

    assert first.value == {"run_id": "mine", "created": True, "error": ""}
    assert second.value == {"run_id": "mine", "created": False, "error": "exists"}
    assert store.runs.get("other", "mine").conf == {"a": 1}
    paused = ask("trigger_dag_run", **{**trigger, "run_id": "x", "fail_when_paused": True})
    assert paused.value["error"] == "Dag other is paused"
    unknown = ask("trigger_dag_run", **{**trigger, "dag_id": "nowhere"})
    assert "nowhere" in unknown.value["error"]


@pytest.mark.parametrize(
    ("run_id", "said"),
    [
        ("../../etc", "contains '..' or does not match"),
        ("a b", "contains '..' or does not match"),
        ("scheduled__mine", "that prefix is for scheduled runs"),
    ],
)
def test_a_task_may_call_a_run_no_more_than_a_person_may(ask, store, run_id, said):
    answered = ask(
        "trigger_dag_run",
        dag_id="other",
        run_id=run_id,
        logical_date=None,
        run_after=None,
        conf=None,
        reset=False,
        note=None,
        fail_when_paused=False,
    ).value

    assert answered["created"] is False
    assert said in answered["error"]
    assert store.runs.find("other", run_id) is None


def test_a_conf_that_does_not_fit_the_params_of_the_other_dag_makes_no_run(ask, store):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    param = SerializedParam(name="n", default=1, schema={"type": "integer"})
    dag = SerializedDag("strict", "3", SerializedTimetable("null"), params=[param])
    store.files.save(
        ParsedFile("strict.py", "/strict.py", "0", now, 0.0, [ParsedDag("strict", encode(dag))]),
        now,
    )
    asked = {
        "dag_id": "strict",
        "run_id": None,
        "logical_date": None,
        "run_after": None,
        "reset": False,
        "note": None,
        "fail_when_paused": False,
    }

    refused = ask("trigger_dag_run", conf={"n": "three"}, **asked).value
    made = ask("trigger_dag_run", conf={"n": 3}, **asked).value

    assert refused["created"] is False
    assert "Parameter 'n' of DAG 'strict' is not valid" in refused["error"]
    assert store.runs.get("strict", made["run_id"]).run_type == "operator_triggered"


def test_states_and_counts_are_of_the_run(ask):
    states = ask("get_task_states", dag_id="sales", run_ids=["r"], task_ids=None)
    count = ask(
        "count_task_instances",
        dag_id="sales",
        task_ids=None,
        task_group_id=None,
        logical_dates=None,
        run_ids=["r"],
        states=["running"],
        map_index=None,
    )

    assert states.value == {"r": {"extract": "running"}}
    assert count.value == 1
    assert ask("get_dag_run", dag_id="sales", run_id="r").value["state"] == "running"
    assert ask("get_dag_run", dag_id="sales", run_id="no such").value is None


def test_a_changed_variable_makes_what_was_imported_stale(ask):
    ask("set_variable", key="place", value="harbour", description=None)
    seen = {"variables": {"place": fingerprint_value("place", "harbour")}, "connections": {}}
    assert ask("have_values_changed", **seen).value is False

    ask("set_variable", key="place", value="quay", description=None)

    assert ask("have_values_changed", **seen).value is True


def test_what_makes_no_sense_is_answered_with_an_error(ask, store):
    assert "no request" in ask("drop_database").error
    assert ask("get_variable", wrong_name=1).error != ""
    assert "running task" in answer("set_xcom", {}, store, None, NOW).error
