"""Tasks that wait for a person: the pages and the operations that show and answer them."""

from __future__ import annotations

import base64
import json

import pytest
from tradewind.database.values import AttemptResult, ClaimRequest, NewRun, WorkerIdentity

from .conftest import NOW

PLACE = "/dags/orders/runs/r%201/tasks/load"
API = "/api/v2/dags/orders/dagRuns/r%201"
QUESTION = {
    "subject": "Ship <b>it</b>?",
    "body": "All **green**",
    "options": ["yes", "no"],
    "defaults": None,
    "multiple": False,
    "params": {"percent": 10, "why": ""},
    "param_specs": {
        "percent": {
            "has_default": True,
            "description": "How many get it",
            "schema": {"type": "integer", "maximum": 100},
        },
        "why": {"has_default": True, "description": None, "schema": {"type": "string"}},
    },
    "assigned_users": [],
}
TRIGGER = {
    "class_path": "a.Trigger",
    "kwargs": "{}",
    "next_method": "execute_complete",
    "next_kwargs": "{}",
    "timeout_s": None,
}


@pytest.fixture
def ask(store, orders):
    """Let the task "load" of a new run ask, and wait."""

    def ask(**question):
        store.dags.set_paused("orders", False, NOW, "user:test")
        store.runs.create(NewRun("orders", "r 1", run_type="manual", run_after=NOW), NOW)
        store.workers.register(
            WorkerIdentity("w", "host", "boot", 1, 1.0, "LocalExecutor", slots=8), NOW
        )
        store.runs.start_queued(NOW)
        store.attempts.queue(NOW)
        (claim,) = store.attempts.claim(ClaimRequest("w", "LocalExecutor", 8), NOW)
        store.xcoms.set(
            dag_id="orders",
            run_id="r 1",
            task_id="load",
            map_index=-1,
            key="hitl_detail",
            value=json.dumps({**QUESTION, **question}),
            length=None,
            now=NOW,
        )
        result = AttemptResult(
            claim.task_instance_id,
            claim.epoch,
            claim.claim_id,
            "deferred",
            ended_at=NOW,
            trigger=TRIGGER,
        )
        store.attempts.finish([result], NOW)

    return ask


@pytest.fixture
def api(client):
    def call(method, path, body=None, user="ada"):
        pair = base64.b64encode(f"{user}:{user}-password".encode()).decode()
        headers = {"Authorization": f"Basic {pair}"}
        return client.open(API + path, method=method, json=body, headers=headers)

    return call


def answer_of(store):
    rows = store.xcoms.get_many(
        dag_id="orders", run_id="r 1", task_ids=["load"], key="hitl_response"
    )
    return json.loads(rows[0].value) if rows else None


def test_what_waits_is_listed_on_a_page_and_on_the_first_one(browser, ask):
    ask()
    browser.log_in("ada")

    listed = browser.client.get("/required_actions").text

    assert "Ship &lt;b&gt;it&lt;/b&gt;?" in listed
    assert f'href="{PLACE}/answer"' in listed
    assert "1 task waits for a person" in browser.client.get("/").text
    assert "It waits for a person" in browser.client.get(PLACE).text


def test_the_form_has_inputs_and_a_button_for_each_option(browser, ask, store):
    ask()
    browser.log_in("ada")
    page = browser.client.get(f"{PLACE}/answer").text
    assert 'type="number"' in page
    assert "<strong>green</strong>" in page
    assert 'value="no"' in page
    assert "tradewind tasks respond orders load" in page

    form = {"option": "no", "param.percent": "55", "param.why": "<i>late</i>"}
    answered = browser.post(f"{PLACE}/answer", form)

    assert answered.status_code == 302
    found = answer_of(store)
    assert (found["chosen_options"], found["params_input"]) == (
        ["no"],
        {"percent": 55, "why": "<i>late</i>"},
    )
    assert found["responded_by_user"] == {"id": "ada", "name": "ada"}
    assert "Nothing waits for a person" in browser.client.get("/required_actions").text
    assert "&lt;i&gt;late" in browser.client.get(f"{PLACE}/answer").text


def test_a_refused_answer_says_why_and_keeps_what_was_typed(browser, ask, store):
    ask()
    browser.log_in("ada")

    form = {"option": "yes", "param.percent": "101", "param.why": "because"}
    refused = browser.post(f"{PLACE}/answer", form)

    assert refused.status_code == 400
    assert "101 is greater than the maximum of 100" in refused.text
    assert 'value="because"' in refused.text
    assert answer_of(store) is None


def test_who_may_only_read_or_is_not_asked_cannot_answer(browser, ask, store):
    ask(assigned_users=["olga"])
    browser.log_in("vic")
    assert "Answer…" not in browser.client.get("/required_actions").text
    assert browser.post(f"{PLACE}/answer", {"option": "yes"}).status_code == 403

    browser.client.get("/logout")
    browser.client.delete_cookie("session")
    browser.log_in("ada")
    assert "Answer…" not in browser.client.get("/required_actions").text
    refused = browser.post(f"{PLACE}/answer", {"option": "yes"})

    assert (refused.status_code, answer_of(store)) == (400, None)
    assert "Only olga may answer" in refused.text


def test_the_api_shows_and_answers_in_airflows_words(api, ask):
    ask()
    detail = "/taskInstances/load/-1/hitlDetails"
    (shown,) = api("GET", "/hitlDetails?response_received=false").json["hitl_details"]
    assert (shown["subject"], shown["options"]) == ("Ship <b>it</b>?", ["yes", "no"])
    assert shown["params"]["percent"] == {
        "value": 10,
        "description": "How many get it",
        "schema": {"type": "integer", "maximum": 100},
    }
    assert shown["task_instance"]["state"] == "deferred"

    answered = api("PATCH", detail, {"chosen_options": ["yes"], "params_input": {"percent": 7}})

    assert answered.status_code == 200, answered.text
    assert answered.json["responded_by"] == {"id": "ada", "name": "ada"}
    assert answered.json["params_input"] == {"percent": 7, "why": ""}
    now = api("GET", detail).json
    assert (now["response_received"], now["chosen_options"]) == (True, ["yes"])
    assert now["responded_by_user"]["name"] == "ada"
    assert api("GET", f"{detail}/tries/1").json["task_instance"]["try_number"] == 1
    assert api("PATCH", detail, {"chosen_options": ["no"]}).status_code == 409


def test_the_api_filters_questions(api, ask):
    ask()

    counts = {
        query: api("GET", f"/hitlDetails?{query}").json["total_entries"]
        for query in (
            "subject_search=ship",
            "state=awaiting_input",
            "task_id=load&map_index=-1",
            "task_id_pattern=lo%25",
            "order_by=-subject&order_by=responded_by_user_name",
            "limit=0",
            "body_search=red",
            "state=success",
            "response_received=true",
            "map_index=3",
            "responded_by_user_name=ada",
            "created_at_gt=2030-01-01T00:00:00Z",
        )
    }

    assert list(counts.values()) == [1] * 6 + [0] * 6, counts


def test_the_api_refuses_answers_that_do_not_fit(api, ask, store):
    ask()
    many = {"chosen_options": ["yes"], "params_input": {"percent": "many"}}
    for task, body, status, said in (
        ("load", {"chosen_options": ["maybe"]}, 422, "yes, no"),
        ("load", {"chosen_options": ["yes", "no"]}, 422, "one option"),
        ("load", {"chosen_options": []}, 422, "length"),
        ("load", {"chosen_options": ["yes"], "x": 1}, 422, "Unknown field"),
        ("load", many, 422, "percent"),
        ("store", {"chosen_options": ["yes"]}, 404, "asks nobody"),
        ("gone", {"chosen_options": ["yes"]}, 404, "gone"),
    ):
        refused = api("PATCH", f"/taskInstances/{task}/-1/hitlDetails", body)

        assert refused.status_code == status, refused.text
        assert said in refused.text
    assert answer_of(store) is None


def test_a_viewer_may_look_but_not_answer_and_old_tries_are_not_kept(api, ask):
    ask()

    assert api("GET", "/hitlDetails", user="vic").json["total_entries"] == 1
    body = {"chosen_options": ["yes"]}
    refused = api("PATCH", "/taskInstances/load/-1/hitlDetails", body, user="vic")
    assert refused.status_code == 403
    assert api("GET", "/taskInstances/load/-1/hitlDetails/tries/7").status_code == 404
    assert api("GET", "/taskInstances/load/-1/hitlDetails/tries/0").status_code == 404
