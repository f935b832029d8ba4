"""Who sees and changes which DAG: rows 12 to 17 of the checklist in ``spec/security.md``."""

from __future__ import annotations

import re

import pytest
from tradewind.database import row_cuts, tables
from tradewind.webserver.api.operation import operations
from tradewind.webserver.auth import SAFE_METHODS

from .conftest import FOREIGN, dag_of, save

#: Tables whose rows belong to no DAG, or are reached through one that is cut.
OF_NO_DAG = {
    "access_token", "asset", "asset_alias_link", "asset_watcher", "connection", "dag_source",
    "idempotency", "login_session", "metric_counter", "metric_position", "pool", "process",
    "revoked_token", "role",
    "role_permission", "tw_user", "user_role", "variable", "worker",
}  # fmt: skip

PATHS = {
    "dag_id": FOREIGN,
    "dag_run_id": f"{FOREIGN}_run",
    "run_id": f"{FOREIGN}_run",
    "task_id": f"{FOREIGN}_task",
    "xcom_key": f"{FOREIGN}_key",
    "pool_name": "default_pool",
    "role_name": "Sales",
    "username": "sal",
    "uri": "x://orders",
}


def filled(path: str, dag_id: str) -> str:
    def one(found: re.Match[str]) -> str:
        return PATHS.get(found[1], "1").replace(FOREIGN, dag_id)

    return re.sub(r"\{(\w+)\}", one, path)


def test_every_table_is_cut_or_belongs_to_no_dag():
    cut = {table.name for table in row_cuts.CUTS}

    assert {table.name for table in tables.metadata.sorted_tables} == cut | OF_NO_DAG
    assert not cut & OF_NO_DAG


@pytest.mark.parametrize("version", [1, 2])
def test_row_14_no_answer_of_the_api_to_a_read_names_a_foreign_dag(version, person, two_dags):
    sal, shown = person("sal"), 0
    for one, face in operations(version):
        if one.method != "GET" or one.permission is None:
            continue
        prefix = f"/api/v{version}"
        for dag_id in ("mine", "~"):
            path = filled(face.path, "mine").replace("/dags/mine", f"/dags/{dag_id}")
            if dag_id == "~":
                path = path.replace("/mine_run", "/~")
            answer = sal.api("GET", prefix + path)
            shown += answer.status_code == 200
            assert answer.status_code < 500, path
            assert FOREIGN not in answer.text, path
        if "{dag_id}" in face.path:
            answer = sal.api("GET", prefix + filled(face.path, FOREIGN))
            assert answer.status_code in (403, 404), face.path
            assert f"{FOREIGN}_" not in answer.text
    assert shown > 25


@pytest.mark.parametrize(
    "path", ["dagRuns/list", "dagRuns/~/taskInstances/list"], ids=["runs", "task instances"]
)
def test_row_14_batches_and_wildcards_count_only_what_may_be_seen(path, person, two_dags):
    for version in (1, 2):
        sal = person("sal").api("POST", f"/api/v{version}/dags/~/{path}", {})
        asked = person("sal").api("POST", f"/api/v{version}/dags/~/{path}", {"dag_ids": [FOREIGN]})
        ada = person("ada").api("POST", f"/api/v{version}/dags/~/{path}", {})

        assert (sal.json["total_entries"], asked.json["total_entries"]) == (1, 0)
        assert ada.json["total_entries"] == 2


def test_row_14_no_page_names_a_foreign_dag(person, app, two_dags):
    sal, shown = person("sal"), 0
    sal.log_in()
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.rule.startswith(("/api/", "/static", "/ui/stream")):
            continue
        path = filled(re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule), "mine")
        answer = sal.client.get(path)
        shown += answer.status_code == 200
        assert answer.status_code < 500, path
        assert FOREIGN not in answer.text, path
        if "dag_id" in rule.arguments:
            answer = sal.client.get(path.replace("mine", FOREIGN))
            assert answer.status_code in (403, 404), rule.rule
            assert f"{FOREIGN}_" not in answer.text.replace(f"{FOREIGN}_run", "").replace(
                f"{FOREIGN}_task", ""
            )
    assert shown > 20


def test_row_14_search_and_events_of_foreign_dags_stay_hidden(person, two_dags):
    sal = person("sal")
    sal.log_in()

    assert sal.client.get(f"/ui/find?q={FOREIGN}").json == []
    assert FOREIGN not in sal.client.get("/ui/changes?since=0").text
    assert sal.client.get("/events").status_code == 403


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("name", ["vic", "sal", "pat"])
def test_row_12_no_write_reaches_a_dag_without_the_permission(
    name, version, person, two_dags, store
):
    asked = person(name)
    before = store.events.last_id()
    for one, face in operations(version):
        if one.method in SAFE_METHODS or one.permission in (None, "read"):
            continue
        path = f"/api/v{version}" + filled(face.path, FOREIGN)
        if name == "sal" and "{dag_id}" not in face.path:
            continue
        assert asked.api(one.method, path, {}).status_code == 403, face.id
    assert store.events.last_id() == before


def test_row_12_pages_that_change_something_refuse_a_viewer(person, app, two_dags, store):
    vic = person("vic")
    vic.log_in()
    before = [one for one in store.events.list() if one.kind != "user.login"]
    tried = 0
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if "POST" not in rule.methods or getattr(view, "permission", None) in (None, "read"):
            continue
        if rule.rule.startswith("/api/"):
            continue
        path = filled(re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule), FOREIGN)
        assert vic.post(path, {}).status_code == 403, rule.rule
        tried += 1
    assert tried > 10
    assert [one for one in store.events.list() if one.kind != "user.login"] == before


def test_row_12_bodies_that_name_a_foreign_dag_change_nothing(person, two_dags, store):
    sal = person("sal")
    backfill = {
        "dag_id": FOREIGN,
        "from_date": "2024-01-01T00:00:00Z",
        "to_date": "2024-01-02T00:00:00Z",
    }
    bulk = {
        "actions": [
            {
                "action": "update",
                "entities": [
                    {
                        "dag_id": FOREIGN,
                        "dag_run_id": f"{FOREIGN}_run",
                        "task_id": f"{FOREIGN}_task",
                        "new_state": "failed",
                    }
                ],
            }
        ]
    }
    before = store.events.list(with_state_changes=True)

    first = sal.api("POST", "/api/v2/backfills", backfill)
    second = sal.api("PATCH", "/api/v2/dags/~/dagRuns/~/taskInstances", bulk)
    third = sal.api("PATCH", "/api/v1/dags?dag_id_pattern=~", {"is_paused": True})

    assert first.status_code in (403, 404)
    assert FOREIGN not in second.text or "403" in second.text or "404" in second.text
    assert third.status_code == 200
    assert not store.dags.get(FOREIGN).is_paused
    after = store.events.list(with_state_changes=True)
    assert [one for one in after if one.dag_id == FOREIGN] == [
        one for one in before if one.dag_id == FOREIGN
    ]


@pytest.mark.parametrize("name", ["vic", "uma"])
def test_row_13_what_belongs_to_operators_is_closed_to_others(name, person):
    asked = person(name)
    for path in ("variables", "connections", "config", "eventLogs", "users", "roles"):
        assert asked.api("GET", f"/api/v1/{path}").status_code == 403, path
    for path in ("variables", "connections", "config", "eventLogs"):
        assert asked.api("GET", f"/api/v2/{path}").status_code == 403, path
    for path in ("variables", "connections"):
        assert asked.api("POST", f"/api/v2/{path}", {}).status_code == 403, path


def test_row_15_a_clear_that_reaches_far_stays_in_its_dag(person, two_dags, store):
    body = {
        "dry_run": False,
        "only_failed": False,
        "include_past": True,
        "include_future": True,
        "include_upstream": True,
        "include_downstream": True,
        "task_ids": ["mine_task"],
        "dag_run_id": "mine_run",
    }
    before = store.task_instances.list(FOREIGN, f"{FOREIGN}_run")

    assert person("sal").api("POST", "/api/v2/dags/mine/clearTaskInstances", body).status_code < 300
    assert store.task_instances.list(FOREIGN, f"{FOREIGN}_run") == before


def test_row_16_an_event_of_an_asset_that_a_foreign_dag_waits_for_is_refused(person, store):
    asset = {"asset": {"name": "orders", "uri": "x://orders", "group": "asset"}}
    save(store, dag_of(FOREIGN, asset_expression={"all": [asset]}))
    store.dags.set_paused(FOREIGN, False, store.clock.now(), "user:test")
    [found] = store.assets.list()

    answer = person("sal").api("POST", "/api/v2/assets/events", {"asset_id": found.id})

    assert answer.status_code == 403
    assert store.assets.queued(FOREIGN) == []
    answer = person("uma").api("POST", "/api/v2/assets/events", {"asset_id": found.id})
    assert answer.status_code == 200


def test_row_17_a_file_of_two_dags_is_shown_to_those_who_may_see_both(person, two_dags, store):
    save(store, dag_of("half", "both.py"), error="SyntaxError in both")
    sal, ada = person("sal"), person("ada")

    for version in (1, 2):
        assert sal.api("GET", f"/api/v{version}/importErrors").json["total_entries"] == 0
        assert ada.api("GET", f"/api/v{version}/importErrors").json["total_entries"] == 2
    assert sal.api("GET", "/api/v2/dagSources/half").status_code in (403, 404)
    assert ada.api("GET", "/api/v2/dagSources/half").status_code == 200
    sal.log_in()
    assert sal.client.get("/dags/half/code").status_code in (403, 404)


def test_access_control_of_a_file_replaces_what_stood_there_and_none_leaves_it(store):
    def granted() -> set[tuple[str, str]]:
        return store.roles.permissions(["Team"]).get("Team", set())

    save(store, dag_of("d", access_control={"Team": ["can_read"]}))
    assert granted() == {("can_read", "DAG:d")}
    save(store, dag_of("d", access_control={"Team": {"DAG Runs": ["can_create"]}}))
    assert granted() == {("can_create", "DAG Run:d")}
    store.roles.add_permissions(
        "Team", [("can_edit", "DAG:d")], now=store.clock.now(), actor="user:test"
    )
    save(store, dag_of("d", description="new"))
    assert granted() == {("can_edit", "DAG:d")}
    save(store, dag_of("d", access_control={}))
    assert granted() == set()


def test_row_14_a_live_page_hears_nothing_of_foreign_dags(app, clock):
    from tradewind.webserver.events import Subscription
    from tradewind.webserver.views_stream import _messages

    reader = Subscription()
    for number, dag_id in enumerate((FOREIGN, "mine")):
        reader.put({"kind": "run", "dag_id": dag_id, "cursor": number})
    heard = _messages(app.extensions["hub"], reader, 0, [], clock.monotonic, frozenset({"mine"}))

    assert "hello" in next(heard)
    assert '"mine"' in next(heard)
    heard.close()


def test_the_list_offers_acts_on_those_dags_only_that_may_be_changed(person, two_dags, services):
    from tradewind.control import roles

    roles.add_permissions(services, "Sales", [("can_read", f"DAG:{FOREIGN}")])
    sal = person("sal")
    sal.log_in()

    page = sal.client.get("/dags").text

    assert 'href="/dags/mine/trigger"' in page
    assert f'href="/dags/{FOREIGN}"' in page
    assert f'href="/dags/{FOREIGN}/trigger"' not in page
    assert f'action="/dags/{FOREIGN}/paused"' not in page
