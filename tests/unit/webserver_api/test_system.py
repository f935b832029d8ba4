"""The system itself: jobs, warnings, providers, files to be parsed again, the way to the login."""

from __future__ import annotations

import pytest
from tradewind.database.values import WorkerIdentity
from tradewind.sdk.serialized import SerializedTask

from .conftest import NOW, dag_of, save


def test_jobs_are_the_processes_that_gave_a_sign_of_life(v2, store, clock):
    store.processes.beat("scheduler", "s-1", "host", 7, NOW)
    store.processes.beat("triggerer", "t-1", "host", 8, NOW)
    identity = WorkerIdentity("w-1", "other", "boot", 9, 1.0, "LocalExecutor")
    store.workers.register(identity, NOW)

    jobs = v2.get("/jobs?order_by=job_type")["jobs"]
    assert [one["job_type"] for one in jobs] == ["RunnerJob", "SchedulerJob", "TriggererJob"]
    assert {one["state"] for one in jobs} == {"running"}
    assert v2.get("/jobs?hostname=other")["total_entries"] == 1
    assert v2.get("/jobs?job_type=SchedulerJob&is_alive=true")["total_entries"] == 1
    clock.advance(hours=1)
    store.processes.beat("scheduler", "s-1", "host", 7, clock.now())
    assert v2.get("/jobs?is_alive=false")["jobs"][0]["job_type"] == "TriggererJob"
    assert v2.get("/jobs?start_date_gt=2030-01-01T00:00:00Z")["total_entries"] == 0
    assert v2("GET", "/jobs?order_by=nope").status_code == 400


def test_a_pool_that_does_not_exist_is_warned_of_until_it_does(v1, v2, store):
    dag = dag_of("swim")
    dag.tasks = [SerializedTask(task_id="a", task_type="PythonOperator", pool="deep")]
    save(store, dag)

    (old,) = v1.get("/dagWarnings?dag_id=swim")["dag_warnings"]
    (new,) = v2.get("/dagWarnings?warning_type=non-existent%20pool")["dag_warnings"]
    assert old["warning_type"] == new["warning_type"] == "non-existent pool"
    assert "'deep'" in new["message"]
    assert v2.get("/dagWarnings?warning_type=asset%20conflict")["total_entries"] == 0
    assert v2("GET", "/dagWarnings?warning_type=nope").status_code == 422
    assert v1("GET", "/dagWarnings?warning_type=nope").status_code == 400

    store.pools.set("deep", 2, "", include_deferred=False, now=NOW, actor="user:test")
    assert v2.get("/dagWarnings")["total_entries"] == 0


def test_a_file_is_parsed_again_when_asked_for(v1, v2, store, orders):
    token = v1.get("/dags/orders")["file_token"]

    assert v2("PUT", f"/parseDagFile/{token}").status_code == 201
    assert store.files.outdated() == ["orders.py"]
    assert v1("PUT", "/parseDagFile/x").status_code == 404


def test_providers_are_those_that_are_installed(v1, v2):
    from importlib.metadata import distributions

    entry = "apache_airflow_provider"
    installed = sum(bool(one.entry_points.select(group=entry)) for one in distributions())

    assert v1.get("/providers")["total_entries"] == installed
    assert v2.get("/providers")["total_entries"] == installed


@pytest.mark.parametrize("target", ["https://other", "//other", "/\\other", "javascript:x"])
def test_a_login_leads_to_no_other_site(client, target):
    answer = client.get("/api/v2/auth/login", query_string={"next": target})

    assert answer.status_code == 400


def test_the_way_to_the_login_page_and_out_again(client):
    there = client.get("/api/v2/auth/login?next=/dags")
    out = client.get("/api/v2/auth/logout")
    foreign = client.get("/api/v2/auth/logout", headers={"Sec-Fetch-Site": "cross-site"})

    assert (there.status_code, there.headers["Location"]) == (307, "/login?next=/dags")
    assert (out.status_code, out.headers["Location"]) == (307, "/login")
    assert foreign.status_code == 403


def test_dags_by_what_their_newest_run_did_and_by_assets(v2, store, orders):
    asset = {"asset": {"name": "prices", "uri": "s3://prices", "group": "asset"}}
    save(store, dag_of("reader", asset_expression={"all": [asset]}))
    v2("POST", "/dags/orders/dagRuns", {"dag_run_id": "x"})

    def found(query: str) -> list[str]:
        return [one["dag_id"] for one in v2.get(f"/dags?{query}")["dags"]]

    assert found("has_asset_schedule=true") == ["reader"]
    assert found("asset_dependency=PRICE") == ["reader"]
    assert found("dag_run_state=queued&dag_run_state=running") == ["orders"]
    assert found("dag_run_start_date_gte=2030-01-01T00:00:00Z") == []
    assert found("bundle_name=dags-folder") == ["orders", "reader"]
    assert found("bundle_name=other") == []


def test_links_are_what_the_task_left_and_lead_to_the_web_only(v1, v2, store):
    dag = dag_of("linked")
    keys = {"Bad": "_link_Bad", "Docs": "_link_Docs", "Later": "_link_Later"}
    dag.tasks = [SerializedTask(task_id="a", task_type="X", extra_link_keys=keys)]
    save(store, dag)
    v2("POST", "/dags/linked/dagRuns", {"dag_run_id": "r"})
    path = "/dags/linked/dagRuns/r/taskInstances/a"
    for key, value in (("_link_Docs", "https://localhost/x"), ("_link_Bad", "javascript:alert(1)")):
        v2("POST", f"{path}/xcomEntries", {"key": key, "value": value})

    assert v2.get(f"{path}/links") == {
        "extra_links": {"Bad": None, "Docs": "https://localhost/x", "Later": None},
        "total_entries": 3,
    }
    old = v1.get(f"{path}/links")["extra_links"]
    assert [(one["name"], one["href"]) for one in old][1] == ("Docs", "https://localhost/x")


def test_plugins_are_listed_by_their_files_and_not_loaded(v2, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mine.py").write_text("raise SystemExit('loaded in the web server')\n")

    (found,) = [one for one in v2.get("/plugins")["plugins"] if one["name"] == "mine"]
    assert (found["source"], found["listeners"]) == ("mine.py", [])


def test_default_connections_leave_those_that_are_there_alone(v2):
    own = {"connection_id": "http_default", "conn_type": "http", "host": "mine"}
    assert v2("POST", "/connections", own).status_code == 201

    assert v2("POST", "/connections/defaults").status_code == 204
    assert v2("POST", "/connections/defaults").status_code == 204
    assert v2.get("/connections/http_default")["host"] == "mine"
    assert v2.get("/connections?limit=100")["total_entries"] > 20
