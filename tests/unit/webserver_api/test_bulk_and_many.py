"""Many things in one request, lists by cursor, XComs by hand, and waiting for an end."""

from __future__ import annotations

import json

import pytest
from tradewind.control.mark import mark_run
from tradewind.control.services import Services
from tradewind.control.trigger import trigger_dag


@pytest.fixture
def services(store, clock) -> Services:
    return Services(store, clock, "user:test")


@pytest.fixture
def runs(services, orders) -> list[str]:
    names = [f"r{number}" for number in range(5)]
    for name in names:
        trigger_dag(services, orders, run_id=name)
    return names


def end(services, name: str, state: str = "success") -> None:
    mark_run(services, "orders", name, state)


def test_each_entity_of_a_bulk_request_ends_for_itself(v2, store):
    good, taken = {"name": "a", "slots": 2}, {"name": "default_pool", "slots": 3}
    body = {
        "actions": [
            {"action": "create", "entities": [good, taken]},
            {"action": "update", "entities": [{**good, "slots": 5}], "update_mask": ["slots"]},
            {"action": "delete", "entities": ["nobody", {"name": "a", "slots": 5}]},
        ]
    }
    answer = v2("PATCH", "/pools", body)

    assert answer.status_code == 200
    assert answer.json["create"]["success"] == ["a"]
    assert [one["status_code"] for one in answer.json["create"]["errors"]] == [409]
    assert answer.json["update"] == {"success": ["a"], "errors": []}
    assert answer.json["delete"]["success"] == ["a"]
    assert [one["status_code"] for one in answer.json["delete"]["errors"]] == [404]


def test_bulk_creates_overwrite_or_skip_what_is_there(v2):
    def create(value: str, existence: str):
        entities = [{"key": "k", "value": value}]
        action = {"action": "create", "entities": entities, "action_on_existence": existence}
        return v2("PATCH", "/variables", {"actions": [action]}).json["create"]

    assert create("1", "fail")["success"] == ["k"]
    assert create("2", "skip") == {"success": [], "errors": []}
    assert v2.get("/variables/k")["value"] == "1"
    assert create("3", "overwrite")["success"] == ["k"]
    assert v2.get("/variables/k")["value"] == "3"


def test_connections_in_bulk_keep_their_secrets(v2):
    entity = {"connection_id": "c", "conn_type": "http", "password": "a-long-secret"}
    body = {"actions": [{"action": "create", "entities": [entity]}]}

    answer = v2("PATCH", "/connections", body)

    assert answer.json["create"]["success"] == ["c"]
    assert "a-long-secret" not in answer.text


def test_an_unknown_field_of_a_bulk_request_is_named(v2):
    body = {"actions": [{"action": "create", "entities": [{"name": "a", "slots": 1, "no": 2}]}]}

    answer = v2("PATCH", "/pools", body)

    assert answer.status_code == 422
    assert answer.json["detail"][0]["loc"][-1] == "no"


def test_runs_in_bulk_are_marked_annotated_and_deleted(v2, runs):
    body = {
        "actions": [
            {"action": "update", "entities": [{"dag_run_id": "r0", "state": "failed"}]},
            {"action": "update", "entities": [{"dag_run_id": "r1", "note": "seen"}]},
            {"action": "delete", "entities": ["r0", "gone"]},
            {"action": "create", "entities": [{"dag_run_id": "new"}]},
        ]
    }
    answer = v2("PATCH", "/dags/orders/dagRuns", body).json

    assert answer["update"]["success"] == ["orders.r0", "orders.r1"]
    assert answer["delete"]["success"] == ["orders.r0"]
    assert answer["delete"]["errors"][0]["status_code"] == 404
    assert answer["create"]["errors"][0]["status_code"] == 405
    assert v2.get("/dags/orders/dagRuns/r1")["note"] == "seen"


def test_under_a_wildcard_each_entity_names_its_dag(v2, runs):
    entities = [{"dag_run_id": "r0", "note": "a"}, {"dag_run_id": "r1", "dag_id": "orders"}]
    body = {"actions": [{"action": "update", "entities": entities}]}

    answer = v2("PATCH", "/dags/~/dagRuns", body).json["update"]

    assert answer["success"] == ["orders.r1"]
    assert answer["errors"][0]["status_code"] == 400


def test_task_instances_in_bulk(v2, services, runs):
    mark = {"task_id": "load", "new_state": "success"}
    body = {"actions": [{"action": "update", "entities": [mark, {"task_id": "nobody"}]}]}

    answer = v2("PATCH", "/dags/orders/dagRuns/r0/taskInstances", body).json["update"]

    assert answer["success"] == ["orders.r0.load[-1]"]
    assert [one["status_code"] for one in answer["errors"]] == [404]


def test_a_task_instance_is_deleted_only_when_its_run_has_ended(v2, services, runs):
    path = "/dags/orders/dagRuns/r0/taskInstances/save"

    assert v2("DELETE", path).status_code == 409
    end(services, "r0")
    assert v2("DELETE", path).status_code == 200
    assert v2("GET", path).status_code == 404


def test_clearing_several_runs(v2, services, runs):
    for name in ("r0", "r1"):
        end(services, name)
    chosen = {"dag_runs": [{"dag_run_id": "r0"}, {"dag_run_id": "r1", "dag_id": "orders"}]}

    listed = v2("POST", "/dags/~/clearDagRuns", {"dag_runs": [{"dag_run_id": "r0"}]})
    dry = v2("POST", "/dags/orders/clearDagRuns", chosen)
    real = v2("POST", "/dags/orders/clearDagRuns", {**chosen, "dry_run": False, "note": "again"})

    assert listed.status_code == 400
    assert dry.json["total_entries"] == 4
    assert {one["end_date"] for one in real.json["dag_runs"]} == {None}
    assert {one["note"] for one in real.json["dag_runs"]} == {"again"}
    assert v2("POST", "/dags/orders/clearPartitions", {}).json["dag_runs_cleared"] == 0


@pytest.mark.parametrize("sort", ["run_id", "-run_id", "-end_date"])
def test_pages_by_cursor_give_every_run_once_forwards_and_backwards(v2, services, runs, sort):
    end(services, "r3")
    path = f"/dags/orders/dagRuns?limit=2&order_by={sort}&cursor="
    whole = [
        one["dag_run_id"] for one in v2.get(f"/dags/orders/dagRuns?order_by={sort}")["dag_runs"]
    ]

    seen, cursor, page = [], "", {}
    while cursor is not None:
        page = v2.get(path + cursor)
        seen += [one["dag_run_id"] for one in page["dag_runs"]]
        cursor = page["next_cursor"]
    assert seen == whole
    assert page["total_entries"] is None

    back = []
    while page["previous_cursor"] is not None:
        page = v2.get(path + page["previous_cursor"])
        back = [one["dag_run_id"] for one in page["dag_runs"]] + back
    assert back == whole[:4]


def test_a_run_that_comes_between_two_pages_moves_none_of_the_others(v2, services, runs):
    path = "/dags/~/dagRuns/~/taskInstances"
    first = v2.get(f"{path}?limit=3&cursor=&order_by=-id")
    trigger_dag(services, "orders", run_id="late")
    second = v2.get(f"{path}?limit=100&order_by=-id&cursor={first['next_cursor']}")

    ids = [one["id"] for page in (first, second) for one in page["task_instances"]]
    assert len(ids) == len(set(ids)) == 10


@pytest.mark.parametrize("cursor", ["x", "!!", "kwCQwg", "gA=="])
def test_a_cursor_that_is_not_ours_is_refused(v2, runs, cursor):
    assert v2("GET", f"/dags/orders/dagRuns?cursor={cursor}").status_code == 400


def test_xcoms_by_hand(v2, store, runs):
    path = "/dags/orders/dagRuns/r0/taskInstances/load/xcomEntries"

    made = v2("POST", path, {"key": "size", "value": {"a": [1, 2]}})
    again = v2("POST", path, {"key": "size", "value": 1})
    changed = v2("PATCH", f"{path}/size", {"value": "small"})
    missing = v2("PATCH", f"{path}/other", {"value": 1})

    assert (made.status_code, made.json["value"]) == (201, {"a": [1, 2]})
    assert (again.status_code, missing.status_code) == (409, 404)
    assert changed.json["value"] == "small"
    assert v2("DELETE", f"{path}/size").status_code == 204
    assert v2("DELETE", f"{path}/size").status_code == 404
    kinds = [one["event"] for one in v2.get("/eventLogs?order_by=-event_log_id")["event_logs"]]
    assert kinds[:3] == ["xcom.deleted", "xcom.set", "xcom.set"]


def test_xcoms_of_many_runs_and_tasks_are_listed_at_once(v1, v2, runs):
    for run_id, task_id, key in (("r0", "load", "a"), ("r1", "load", "a"), ("r1", "save", "b")):
        path = f"/dags/orders/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries"
        v2("POST", path, {"key": key, "value": 1})

    def found(path: str, query: str = "") -> list[tuple[str, str, str]]:
        entries = v2.get(f"{path}/xcomEntries{query}")["xcom_entries"]
        return [(one["run_id"], one["task_id"], one["key"]) for one in entries]

    everything = "/dags/~/dagRuns/~/taskInstances/~"
    assert len(found(everything)) == 3
    assert found(everything, "?xcom_key_pattern=B") == [("r1", "save", "b")]
    assert found(everything, "?run_id_prefix_pattern=r0") == [("r0", "load", "a")]
    assert found(everything, "?order_by=-run_id&limit=1&task_id_pattern=load")[0][0] == "r1"
    assert found(everything, "?run_after_gt=2030-01-01T00:00:00Z") == []
    assert len(found("/dags/orders/dagRuns/r1/taskInstances/~")) == 2
    assert v1.get("/dags/orders/dagRuns/r0/taskInstances/load/xcomEntries")["total_entries"] == 1
    for path in ("/dags/nope/dagRuns/~", "/dags/orders/dagRuns/nope"):
        assert v2("GET", f"{path}/taskInstances/~/xcomEntries").status_code == 404


def test_a_group_is_marked_as_a_whole(v2, store, services):
    from tradewind.sdk.serialized import SerializedGroup, SerializedTask

    from .conftest import dag_of, save

    dag = dag_of("grouped", groups=[SerializedGroup(group_id="g", children=["g.a", "g.b"])])
    dag.tasks = [
        SerializedTask(task_id="g.a", task_type="PythonOperator", group_id="g"),
        SerializedTask(task_id="g.b", task_type="PythonOperator", group_id="g"),
        SerializedTask(task_id="c", task_type="PythonOperator"),
    ]
    save(store, dag)
    trigger_dag(services, "grouped", run_id="r")
    path = "/dags/grouped/dagRuns/r/taskGroupInstances"

    dry = v2("PATCH", f"{path}/g/dry_run", {"new_state": "success"})
    assert {one["state"] for one in dry.json["task_instances"]} == {None}
    real = v2("PATCH", f"{path}/g", {"new_state": "success", "note": "by hand"})
    assert {(one["task_id"], one["state"]) for one in real.json["task_instances"]} == {
        ("g.a", "success"),
        ("g.b", "success"),
    }
    assert v2("PATCH", f"{path}/nobody", {"new_state": "success"}).status_code == 404


def test_waiting_for_a_run_that_has_ended_answers_one_line_with_results(v2, services, runs):
    path = "/dags/orders/dagRuns/r0"
    v2("POST", f"{path}/taskInstances/load/xcomEntries", {"key": "return_value", "value": 7})
    end(services, "r0")

    answer = v2("GET", f"{path}/wait?interval=1&result=load")

    assert answer.content_type == "application/x-ndjson"
    assert [json.loads(line) for line in answer.text.splitlines()] == [
        {"state": "success", "results": {"load": 7}}
    ]
    assert v2("GET", f"{path}/wait").status_code == 422
    assert v2("GET", f"{path}/wait?interval=0").status_code == 400
    assert v2("GET", "/dags/orders/dagRuns/no/wait?interval=1").status_code == 404


def test_runs_by_version_and_by_the_asset_that_made_them(v2, runs):
    assert v2.get("/dags/orders/dagRuns?dag_version=1")["total_entries"] == 5
    assert v2.get("/dags/orders/dagRuns?dag_version=2")["total_entries"] == 0
    assert v2.get("/dags/orders/dagRuns?consuming_asset_pattern=x")["total_entries"] == 0
    found = v2.get("/dags/orders/dagRuns/r0/taskInstances?version_number=1")
    assert found["total_entries"] == 2
