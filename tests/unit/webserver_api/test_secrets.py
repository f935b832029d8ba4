"""Secrets that were put in come out of no answer."""

from __future__ import annotations

import json
import re

import pytest
from tradewind.webserver.api.operation import operations

from .conftest import NOW, Api

CANARY = "canary-7f3a"


@pytest.fixture
def planted(v2, store, orders):
    """A connection with secrets in every place, a secret variable, an XCom under a secret key."""
    extra = {"token": CANARY, "nested": {"api_key": CANARY}, "plain": "shown"}
    body = {
        "connection_id": "c",
        "conn_type": "http",
        "password": CANARY,
        "extra": json.dumps(extra),
    }
    assert v2("POST", "/connections", body).status_code == 201
    assert v2("POST", "/variables", {"key": "my_password", "value": CANARY}).status_code == 201
    inside = {"key": "settings", "value": {"password": CANARY, "plain": 1}}
    assert v2("POST", "/variables", inside).status_code == 201
    v2("POST", "/dags/orders/dagRuns", {"dag_run_id": "x"})
    store.xcoms.set(
        dag_id="orders",
        run_id="x",
        task_id="load",
        map_index=-1,
        key="password",
        value=json.dumps(CANARY),
        length=None,
        now=NOW,
    )


@pytest.mark.parametrize("version", [1, 2])
def test_no_answer_to_a_read_holds_a_planted_secret(version, client, planted):
    names = {
        "dag_id": "orders",
        "dag_run_id": "x",
        "task_id": "load",
        "connection_id": "c",
        "variable_key": "my_password",
        "xcom_key": "password",
        "pool_name": "default_pool",
    }
    api = Api(client, version)
    shown = 0
    for one, face in operations(version):
        if one.method != "GET":
            continue
        path = re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], "1"), face.path)
        answer = api("GET", path)
        shown += answer.status_code == 200
        assert CANARY not in answer.text, face.id
        assert answer.status_code < 500, face.id
    assert shown > 20
    assert CANARY not in api("GET", "/variables/settings").text


def test_three_stars_sent_back_keep_what_is_stored(v2, store, planted):
    shown = v2.get("/connections/c")
    shown.update(host="elsewhere", description=None)
    shown.pop("team_name")

    assert v2("PATCH", "/connections/c", shown).status_code == 200
    stored = store.connections.get("c")
    assert (stored["host"], stored["password"]) == ("elsewhere", CANARY)
    assert json.loads(stored["extra"])["nested"] == {"api_key": CANARY}

    v2("PATCH", "/variables/my_password", {"key": "my_password", "value": "***"})
    assert store.variables.get("my_password").value == CANARY
