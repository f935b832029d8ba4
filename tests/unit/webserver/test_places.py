"""Pages as a whole: an empty home, old addresses, a prefix, bulk acts, undo, what is not found."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import event
from tradewind.control.services import Services
from tradewind.sdk import configuration
from tradewind.webserver.app import create_app
from tradewind.webserver.grid_reads import ColumnCache

EMPTY_PAGES = [
    "/", "/dags", "/runs", "/task_instances", "/timeline", "/forecast", "/assets",
    "/assets?view=graph", "/admin", "/pools", "/variables", "/connections", "/jobs", "/events",
    "/users", "/roles", "/providers", "/plugins", "/preferences", "/keys", "/import_errors",
    "/status",
]  # fmt: skip
DAG_PAGES = ["", "/graph", "/graph?direction=down&assets=1", "/runs", "/tasks", "/tasks/load",
             "/durations", "/durations?landing=1", "/calendar", "/backfills", "/code", "/events",
             "/details", "/trigger", "/backfill", "/delete"]  # fmt: skip


@pytest.fixture
def run_id(browser, orders, store) -> str:
    browser.log_in("ada")
    browser.post(f"/dags/{orders}/trigger", {"run_id": "one"})
    return "one"


def test_every_page_says_something_in_an_empty_home(browser, client) -> None:
    browser.log_in("ada")
    for path in EMPTY_PAGES:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.text.count("<h1") == 1, path


def test_every_page_of_a_dag_without_a_run_opens(browser, client, orders) -> None:
    browser.log_in("ada")
    for path in DAG_PAGES:
        assert client.get(f"/dags/{orders}{path}").status_code == 200, path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/dags/orders/grid", "/dags/orders"),
        ("/dags/orders/grid?dag_run_id=one", "/dags/orders/runs/one"),
        ("/dags/orders/grid?dag_run_id=one&task_id=load&map_index=3",
         "/dags/orders/runs/one/tasks/load?map_index=3"),
        ("/dags/orders/gantt?dag_run_id=one", "/dags/orders/runs/one/gantt"),
        ("/dags/orders/duration", "/dags/orders/durations"),
        ("/home", "/dags"),
        ("/dagrun/list/", "/runs"),
        ("/taskinstance/list/", "/task_instances"),
        ("/dags/orders/runs/one/tasks/group/g", "/dags/orders/runs/one?search=g."),
    ],
)  # fmt: skip
def test_addresses_of_airflow_lead_to_ours(browser, client, orders, old, new) -> None:
    browser.log_in("ada")

    answer = client.get(old)

    assert answer.location == new


def test_what_is_not_there_names_what_is_near(browser, client, run_id) -> None:
    assert 'href="/dags/orders"' in client.get("/dags/order").text
    assert "one" in client.get("/dags/orders/runs/two").text


def item(*parts: object) -> str:
    return json.dumps(parts)


def test_many_are_marked_at_once_only_when_that_was_agreed_to(browser, store, run_id) -> None:
    fields = {"act": "failed", "item": item("orders", "one"), "back": "/runs"}

    asked = browser.post("/bulk/runs", fields)
    assert "Mark failed: 1 run?" in asked.text
    assert store.runs.get("orders", "one").state == "queued"
    browser.post("/bulk/runs", {**fields, "agreed": "yes"})
    assert store.runs.get("orders", "one").state == "failed"


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("runs", {"act": "clear"}, 400),
        ("runs", {"act": "explode", "item": item("orders", "one")}, 400),
        ("runs", {"act": "clear", "item": "{"}, 400),
        ("runs", {"act": "clear", "item": item("orders")}, 400),
        ("instances", {"act": "clear", "item": item("orders", "one", "load", "x")}, 400),
        ("nothing", {"act": "clear"}, 404),
        ("runs", {"act": "clear", "item": item("no", "such")}, 404),
    ],
)
def test_a_bulk_act_that_makes_no_sense_is_refused(browser, run_id, kind, fields, code) -> None:
    assert browser.post(f"/bulk/{kind}", fields).status_code == code


def test_pausing_offers_its_undo(browser, client, store, orders) -> None:
    browser.log_in("ada")
    was = store.dags.get(orders).is_paused
    browser.post(f"/dags/{orders}/paused", {"is_paused": "false" if was else "true"})

    page = client.get("/dags").text

    assert 'class="undo"' in page
    assert f'name="is_paused" value="{"true" if was else "false"}"' in page


def test_a_post_after_the_session_ended_asks_to_log_in_and_changes_nothing(
    client, store, orders
) -> None:
    before = store.dags.get(orders).is_paused

    answer = client.post(f"/dags/{orders}/paused", data={"is_paused": "false"})

    assert answer.location.startswith("/login?next=")
    assert store.dags.get(orders).is_paused is before


def test_a_column_of_the_grid_is_forgotten_when_its_run_changes(store, run_id, clock) -> None:
    cache = ColumnCache()
    cache.forget_changed(store)
    key = ("orders", "one", store.runs.get("orders", "one").id)
    cache.put(key, {"load": "s"})
    cache.forget_changed(store)
    assert cache.get(key) == {"load": "s"}

    store.runs.set_state("orders", "one", "failed", clock.now(), "user:ada")
    cache.forget_changed(store)

    assert cache.get(key) is None
    cache.put(key, {"load": "s"})
    assert cache.get(("orders", "one", key[2] + 1)) is None


def test_columns_are_forgotten_when_an_older_database_was_put_back(store, run_id, clock) -> None:
    """Other entries stand under the numbers that were seen: nothing seen then may be shown."""
    cache = ColumnCache()
    cache.forget_changed(store)
    key = ("orders", "one", store.runs.get("orders", "one").id)
    cache.put(key, {"load": "s"})

    with store.database.write() as connection:  # the same numbers, another history
        connection.exec_driver_sql("UPDATE event SET at = '2026-01-02 00:00:00.000001'")
    store.events.record("variables_set", actor="user:ada", now=clock.now())
    cache.forget_changed(store)

    assert cache.get(key) is None


def test_every_link_has_the_prefix_whether_a_proxy_keeps_it_or_not(
    store, clock, monkeypatch
) -> None:
    monkeypatch.setenv("TRADEWIND__API__BASE_URL", "https://host/some/prefix/")
    configuration.reset()
    app = create_app(Services(store, clock))
    for path in ("/login", "/some/prefix/login"):
        page = app.test_client().get(path).text
        assert 'href="/some/prefix/assets/' in page
    assert app.test_client().get("/dags").location == "/some/prefix/login?next=/some/prefix/dags"


def test_the_number_of_statements_does_not_grow_with_dags_and_runs(
    browser, client, store, orders, clock
) -> None:
    browser.log_in("ada")

    def statements(path: str) -> int:
        counted = []
        listen = lambda *_: counted.append(1)  # noqa: E731 - the listener has to be removed again
        event.listen(store.database.engine, "before_cursor_execute", listen)
        assert client.get(path).status_code == 200
        event.remove(store.database.engine, "before_cursor_execute", listen)
        return len(counted)

    paths = ("/dags", "/", "/runs", f"/dags/{orders}", f"/dags/{orders}/durations", "/timeline")
    browser.post(f"/dags/{orders}/trigger", {"run_id": "first", "conf": "{}"})
    few = {}
    for path in paths:
        statements(path)
        few[path] = statements(path)
    for n in range(12):
        browser.post(f"/dags/{orders}/trigger", {"run_id": f"r{n}", "conf": "{}"})
    many = {path: (statements(path), statements(path))[1] for path in paths}

    assert many == few
