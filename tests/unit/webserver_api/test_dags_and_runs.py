from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.sdk.serialized import SerializedDag

from .conftest import NOW, Api, dag_of, save


@pytest.fixture(params=[1, 2])
def api(request, client) -> Api:
    return Api(client, request.param)


def trigger(api: Api, run_id: str, **more):
    return api("POST", "/dags/orders/dagRuns", {"dag_run_id": run_id, **more})


def test_a_post_with_an_empty_conf_starts_a_run_in_both_versions(api, orders, store):
    answer = api("POST", f"/dags/{orders}/dagRuns", {"conf": {}})

    assert answer.status_code == 200
    assert answer.json["state"] == "queued"
    assert answer.json["dag_run_id"].startswith("manual__2024-03-05T12:00:00+00:00")
    assert [run.triggered_by for run in store.runs.list(orders)] == ["rest_api"]


def test_a_run_keeps_the_conf_that_was_sent_and_not_the_defaults(api, orders):
    assert trigger(api, "x", conf={"other": 1}).json["conf"] == {"other": 1}


def test_a_conf_that_breaks_a_parameter_is_refused(api, orders):
    answer = trigger(api, "x", conf={"size": "big"})

    assert answer.status_code == 400
    assert "size" in answer.json["detail"]


def test_instants_are_written_as_each_version_does(v1, v2, orders):
    trigger(v2, "x")

    first = v1.get("/dags/orders/dagRuns/x")
    second = v2.get("/dags/orders/dagRuns/x")

    assert first["execution_date"] == first["logical_date"] == "2024-03-05T12:00:00+00:00"
    assert second["logical_date"] is None
    assert second["run_after"] == "2024-03-05T12:00:00Z"


def test_version_1_takes_the_old_name_of_the_logical_date(v1, orders):
    answer = trigger(v1, "x", execution_date="2024-01-01T00:00:00Z")

    assert answer.json["logical_date"] == "2024-01-01T00:00:00+00:00"


def test_a_taken_run_id_is_a_conflict_in_the_form_of_each_version(v1, v2, orders):
    trigger(v1, "x")

    first, second = trigger(v1, "x"), trigger(v2, "x")

    assert (first.status_code, second.status_code) == (409, 409)
    assert first.content_type == "application/problem+json"
    assert first.json["title"] == "Conflict"
    assert second.json["detail"]["reason"] == "Unique constraint violation"


def test_runs_are_paged_ordered_filtered_and_counted(api, orders):
    for number in range(5):
        trigger(api, f"run_{number}", logical_date=f"2024-01-0{number + 1}T00:00:00Z")

    page = api.get("/dags/orders/dagRuns?limit=2&offset=1&order_by=-logical_date")
    late = api.get("/dags/~/dagRuns?start_date_gte=2024-01-01T00:00:00Z")
    some = api.get("/dags/~/dagRuns?state=queued&state=failed")

    assert [run["dag_run_id"] for run in page["dag_runs"]] == ["run_3", "run_2"]
    assert page["total_entries"] == 5
    assert late["total_entries"] == 0
    assert some["total_entries"] == 5


def test_a_larger_page_than_allowed_is_lowered_silently(v2, orders):
    assert v2("GET", "/dags?limit=1000").status_code == 200


def test_a_limit_of_nothing_is_the_default_in_version_1_and_an_empty_page_in_2(v1, v2, orders):
    assert len(v1.get("/dags?limit=0")["dags"]) == 1
    assert v2.get("/dags?limit=0") == {"dags": [], "total_entries": 1}


def test_runs_of_several_dags_are_listed_by_a_form(v1, v2, orders, store):
    trigger(v1, "x")

    first = v1("POST", "/dags/~/dagRuns/list", {"dag_ids": ["orders"], "states": ["queued"]})
    second = v2("POST", "/dags/~/dagRuns/list", {"dag_ids": ["other"]})

    assert first.json["total_entries"] == 1
    assert second.json["total_entries"] == 0


def test_a_run_is_marked_annotated_and_deleted(v1, v2, orders, store):
    trigger(v1, "x")

    assert v2("PATCH", "/dags/orders/dagRuns/x", {"note": "seen"}).json["note"] == "seen"
    assert v1("PATCH", "/dags/orders/dagRuns/x/setNote", {"note": "a"}).json["note"] == "a"
    marked = v1("PATCH", "/dags/orders/dagRuns/x", {"state": "failed"})
    assert marked.json["state"] == "failed"
    assert v2("DELETE", "/dags/orders/dagRuns/x").status_code == 204
    assert store.runs.list("orders") == []


def test_a_running_run_is_not_deleted(api, orders, store):
    trigger(api, "x")
    store.runs.start_queued(NOW)

    assert api("DELETE", "/dags/orders/dagRuns/x").status_code == 409


def test_clearing_a_run_lists_first_and_clears_only_when_told(v1, v2, orders):
    trigger(v1, "x")
    v1("PATCH", "/dags/orders/dagRuns/x", {"state": "failed"})

    dry = v1("POST", "/dags/orders/dagRuns/x/clear", {})
    wet = v2("POST", "/dags/orders/dagRuns/x/clear", {"dry_run": False})

    assert {one["task_id"] for one in dry.json["task_instances"]} == {"load", "save"}
    assert wet.json["state"] in ("queued", "running")


def test_a_dag_is_paused_by_patch(api, orders, store):
    answer = api("PATCH", "/dags/orders", {"is_paused": True})

    assert answer.json["is_paused"] is True
    assert store.dags.get(orders).is_paused


def test_many_dags_are_paused_only_by_a_filter(v1, orders, store):
    v1("PATCH", "/dags", {"is_paused": True})
    assert not store.dags.get(orders).is_paused

    answer = v1("PATCH", "/dags?dag_id_pattern=~", {"is_paused": True})
    assert answer.json["total_entries"] == 1
    assert store.dags.get(orders).is_paused


def test_dags_are_found_by_part_pattern_tag_and_state(v1, v2, orders, store):
    save(store, dag_of("other"))

    def ids(answer):
        return [dag["dag_id"] for dag in answer["dags"]]

    assert ids(v1.get("/dags?dag_id_pattern=RDE")) == ["orders"]
    assert ids(v2.get("/dags?dag_id_pattern=ord%25rs|oth")) == ["orders", "other"]
    assert ids(v2.get("/dags?dag_id_prefix_pattern=ord")) == ["orders"]
    assert ids(v2.get("/dags?tags=shop&tags=x&tags_match_mode=all")) == []
    assert ids(v2.get("/dags?paused=false")) == ["orders"]
    assert ids(v2.get("/dags?order_by=-dag_id")) == ["other", "orders"]


def test_a_subset_of_fields_can_be_asked_for_in_version_1(v1, orders):
    assert v1.get("/dags/orders?fields=dag_id&fields=is_paused") == {
        "dag_id": "orders",
        "is_paused": False,
    }


def test_the_source_comes_as_text_and_as_json(v1, v2, orders):
    token = v1.get("/dags/orders")["file_token"]

    as_text = v1("GET", f"/dagSources/{token}", headers={"Accept": "text/plain"})
    as_json = v2("GET", "/dagSources/orders", headers={"Accept": "application/json"})

    assert as_text.text == "# orders\n"
    assert as_json.json["content"] == "# orders\n"
    assert as_json.json["version_number"] == 1


def test_a_file_token_that_was_altered_opens_nothing(v1, orders):
    token = v1.get("/dags/orders")["file_token"]

    altered = ("A" if token[0] != "A" else "B") + token[1:]
    assert v1("GET", f"/dagSources/{altered}").status_code == 404


def test_tasks_are_shown_with_what_follows_them(v1, v2, orders):
    first, second = v1.get("/dags/orders/tasks/load"), v2.get("/dags/orders/tasks")

    assert first["downstream_task_ids"] == ["save"]
    assert first["retry_delay"] == {
        "__type": "TimeDelta",
        "days": 0,
        "seconds": 300,
        "microseconds": 0,
    }
    assert second["total_entries"] == 2


def test_a_file_that_cannot_be_imported_is_listed(v1, v2, orders, store):
    save(store, dag_of("bad"), error="SyntaxError: no")

    (first,) = v1.get("/importErrors")["import_errors"]
    (second,) = v2.get("/importErrors")["import_errors"]

    assert first["stack_trace"] == "SyntaxError: no"
    assert (first["filename"], second["filename"]) == ("/dags/bad.py", "bad.py")
    assert v1.get(f"/importErrors/{first['import_error_id']}") == first
    assert v1("GET", "/importErrors/999").status_code == 404


def test_a_dag_whose_file_is_broken_is_not_triggered(api, orders, store):
    save(store, dag_of("orders"), error="SyntaxError: no")

    assert trigger(api, "x").status_code == 400


def test_what_people_did_is_in_the_event_log(v1, v2, orders):
    trigger(v1, "x")

    (entry,) = v2.get("/eventLogs?event=run.triggered")["event_logs"]

    assert (entry["dag_id"], entry["run_id"], entry["owner"]) == ("orders", "x", "ada")
    assert v1.get(f"/eventLogs/{entry['event_log_id']}")["event"] == "run.triggered"


def test_a_dag_goes_with_its_history(v1, orders, store):
    trigger(v1, "x")

    assert v1("DELETE", "/dags/orders").status_code == 204
    assert v1("GET", "/dags/orders").status_code == 404


def test_a_backfill_is_planned_created_paused_and_cancelled(v2, store):
    from tradewind.sdk.timetables.interval import CronDataIntervalTimetable
    from tradewind.sdk.timetables.registry import serialize_timetable

    daily: SerializedDag = dag_of("daily", start_at=datetime(2024, 1, 1, tzinfo=UTC))
    daily.timetable = serialize_timetable(CronDataIntervalTimetable("@daily"))
    save(store, daily)
    body = {
        "dag_id": "daily",
        "from_date": "2024-01-01T00:00:00Z",
        "to_date": "2024-01-03T00:00:00Z",
    }

    plan = v2("POST", "/backfills/dry_run", body)
    made = v2("POST", "/backfills", body)
    again = v2("POST", "/backfills", body)

    assert plan.json["total_entries"] == 3
    assert made.status_code == 200
    assert again.status_code == 409
    one = f"/backfills/{made.json['id']}"
    assert v2("PUT", f"{one}/pause").json["is_paused"] is True
    assert v2("PUT", f"{one}/unpause").json["is_paused"] is False
    assert v2("PUT", f"{one}/cancel").json["completed_at"] is not None
    assert v2("PUT", f"{one}/cancel").status_code == 409
    assert v2.get("/backfills?dag_id=daily")["total_entries"] == 1
    assert v2("GET", "/backfills/99").status_code == 404


def test_json_that_curl_sends_as_a_form_is_taken_but_not_from_a_browser(v1, orders):
    more = {"data": '{"conf": {}}', "content_type": "application/x-www-form-urlencoded"}

    assert v1("POST", "/dags/orders/dagRuns", **more).status_code == 200
    foreign = {"Origin": "https://elsewhere.example"}
    assert v1("POST", "/dags/orders/dagRuns", headers=foreign, **more).status_code == 415
