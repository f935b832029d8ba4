"""What may be done from the pages, by whom, and what is refused."""

from __future__ import annotations

import pytest
from flask import url_for
from tradewind.webserver.api.versions import version_of


@pytest.fixture
def admin(browser):
    browser.log_in("ada")
    return browser


@pytest.fixture
def run(admin, orders) -> str:
    admin.post(f"/dags/{orders}/trigger", {"conf": "{}", "run_id": "mine"})
    return "mine"


def test_a_viewer_is_refused_every_post_and_every_form_of_an_act(browser, client, orders) -> None:
    browser.log_in("vic")
    app = client.application
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(("auth.", "preferences.", "hooks.", "tokens.")):
            continue  # a token of their own, or only about oneself
        if version_of(rule.rule) is not None:  # tests of the API ask the same of its routes
            continue
        permission = getattr(app.view_functions[rule.endpoint], "permission", "read")
        with app.test_request_context():
            path = url_for(rule.endpoint, **dict.fromkeys(rule.arguments, 1))
        if "POST" in rule.methods:
            assert browser.post(path, {}).status_code == 403, rule
        elif permission != "read":
            assert client.get(path).status_code == 403, rule


@pytest.mark.parametrize("path", ["/variables", "/connections", "/configs", "/events", "/users"])
def test_a_viewer_may_not_read_secrets_settings_users_or_the_audit(browser, client, path) -> None:
    browser.log_in("vic")

    assert client.get(path).status_code == 403
    assert f'href="{path}"' not in client.get("/admin").text


def test_clear_previews_and_clears_one_task_with_what_follows(
    admin, client, store, orders, run
) -> None:
    query = f"/dags/{orders}/clear?run_id={run}&task_id=load"

    assert "1 task instance in 1 run" in client.get(query).text
    assert "2 task instances in 1 run" in client.get(query + "&downstream=1").text
    answer = admin.post(
        f"/dags/{orders}/clear", {"run_id": run, "task_id": "load", "downstream": "1"}
    )
    assert answer.status_code == 302
    assert "Cleared 2 task instances in 1 run." in client.get(answer.location).text
    assert store.events.list(kinds=["task.cleared"])[0].actor == "user:ada"


def test_marking_gives_a_task_and_a_run_their_state(admin, store, orders, run) -> None:
    admin.post(f"/dags/{orders}/runs/{run}/tasks/load/mark", {"state": "success"})
    assert store.task_instances.get(orders, run, "load").state == "success"
    admin.post(f"/dags/{orders}/runs/{run}/mark", {"state": "failed"})
    assert store.runs.get(orders, run).state == "failed"


@pytest.mark.parametrize("state", ["running", "", "<b>"])
def test_a_person_cannot_give_every_state(admin, store, orders, run, state) -> None:
    path = f"/dags/{orders}/runs/{run}/tasks/load/mark"

    assert admin.post(path, {"state": state}).status_code == 400


def test_a_note_is_kept_as_text_and_nothing_else_can_be_sent_with_it(
    admin, client, store, orders, run
) -> None:
    path = f"/dags/{orders}/note"

    assert admin.post(path, {"run_id": run, "note": "x", "state": "failed"}).status_code == 400
    admin.post(path, {"run_id": run, "note": "<script>alert(7)</script>"})
    admin.post(path, {"run_id": run, "task_id": "load", "note": "seen"})

    assert store.runs.get(orders, run).note == "<script>alert(7)</script>"
    assert store.task_instances.get(orders, run, "load").note == "seen"
    assert "<script>alert(7)" not in client.get(f"/dags/{orders}/runs/{run}").text


def test_a_run_is_deleted_after_a_question(admin, client, store, orders, run) -> None:
    admin.post(f"/dags/{orders}/runs/{run}/mark", {"state": "failed"})
    assert "cannot be undone" in client.get(f"/dags/{orders}/runs/{run}/delete").text

    admin.post(f"/dags/{orders}/runs/{run}/delete", {})

    assert store.runs.list(orders) == []


def test_a_stored_secret_is_never_shown_and_the_mask_keeps_it(admin, client, store) -> None:
    fields = {"conn_id": "db", "conn_type": "postgres", "host": "h", "password": "s3cret",
              "extra": '{"api_token": "t0ken"}', "is_new": "1"}  # fmt: skip
    admin.post("/connections", fields)
    page = client.get("/connections?conn_id=db").text
    assert "s3cret" not in page
    assert "t0ken" not in page

    admin.post("/connections", {"conn_id": "db", "conn_type": "postgres", "host": "other",
                                "password": "***", "extra": '{"api_token": "***"}'})  # fmt: skip

    stored = store.connections.get("db")
    assert (stored["host"], stored["password"]) == ("other", "s3cret")
    assert "t0ken" in stored["extra"]


def test_a_secret_variable_is_masked_and_the_mask_keeps_it(admin, client, store) -> None:
    answer = admin.post("/variables", {"key": "my_password", "value": "s3cret"})
    assert answer.status_code == 302, answer.text
    assert "s3cret" not in client.get("/variables?key=my_password").text

    admin.post("/variables", {"key": "my_password", "value": "***", "description": "new"})

    assert store.variables.get("my_password").value == "s3cret"


@pytest.mark.parametrize("slots", ["-5", "five", str(2**40), ""])
def test_a_senseless_pool_is_refused(admin, slots) -> None:
    assert admin.post("/pools", {"name": "p", "slots": slots}).status_code == 400


@pytest.mark.parametrize("since", ["x", "-1", "9" * 40, ""])
def test_a_senseless_cursor_is_no_server_error(admin, client, since) -> None:
    assert client.get(f"/ui/changes?since={since}").status_code == 200


def test_changes_since_a_cursor_name_the_run(admin, client, orders, run) -> None:
    found = client.get("/ui/changes?since=0").json

    assert {"dag_id": orders, "run_id": run}.items() <= found["messages"][-1].items()
    assert client.get(f"/ui/changes?since={found['cursor']}").json["messages"] == []


def test_the_stream_begins_with_where_it_is_and_what_was_missed(admin, client, orders, run) -> None:
    answer = client.get("/ui/stream", headers={"Last-Event-ID": "0"})

    lines = iter(answer.response)
    assert b'"hello"' in next(lines)
    assert run.encode() in b"".join([next(lines), next(lines)])
    answer.close()


def test_pages_in_gzip_are_the_same(admin, client, orders) -> None:
    import gzip

    plain = client.get(f"/dags/{orders}/details")
    packed = client.get(f"/dags/{orders}/details", headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data


def test_the_theme_and_the_zone_are_kept_and_others_refused(admin, client, orders, run) -> None:
    admin.post("/preferences", {"theme": "dark", "zone": "Asia/Tokyo"})
    assert 'data-theme="dark"' in client.get("/dags").text
    assert client.get_cookie("zone").value == "Asia/Tokyo"
    admin.post("/preferences", {"theme": '"><b>', "zone": "../../etc/passwd"})
    assert client.get_cookie("zone").value == "Asia/Tokyo"
