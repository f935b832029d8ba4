"""Who is let in, as whom, and what each role may do."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import jwt
import pytest
from tradewind.sdk.configuration import conf
from tradewind.webserver.api.operation import operations
from tradewind.webserver.api.tokens import AUDIENCE, make_token
from tradewind.webserver.permissions import WORDS

from .conftest import NOW, Api, add_user

OPEN = {"get_health": 200, "get_version": 200}
#: Those of version 2 that lead to the login page.
OPEN_V2 = {"login": 307, "logout": 307}


def opened(version: int) -> dict[str, int]:
    return {**OPEN, **OPEN_V2} if version == 2 else OPEN


def bearer(client, token: str):
    headers = {"Authorization": f"Bearer {token}"}
    return client.get("/api/v2/dags", headers=headers)


def log_in(client, name: str) -> str:
    page = client.get("/login").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    form = {"username": name, "password": f"{name}-password", "csrf_token": token}
    client.post("/login", data=form)
    with client.session_transaction() as session:
        return str(session["csrf"])


@pytest.mark.parametrize("version", [1, 2])
def test_every_operation_but_health_and_version_names_a_permission(version, client):
    found = {face.id for one, face in operations(version) if one.permission is None}
    assert found == opened(version).keys()
    assert all(one.permission in WORDS for one, face in operations(version) if face.id not in found)


@pytest.mark.parametrize("version", [1, 2])
def test_nothing_is_answered_to_those_who_do_not_say_who_they_are(version, client):
    for one, face in operations(version):
        path = re.sub(r"\{\w*(index|id|number)\}", "1", face.path)
        path = re.sub(r"\{\w+\}", "x", path)
        answer = Api(client, version, None)(one.method, path)
        expected = opened(version).get(face.id, 401)
        assert answer.status_code == expected, face.id
        if expected == 401:
            assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize("version", [1, 2])
def test_a_viewer_reads_what_is_to_be_read_and_changes_nothing(version, client, store):
    add_user(store, "vic")
    vic = Api(client, version, "vic")
    for one, face in operations(version):
        if one.permission not in (None, "read"):
            path = re.sub(r"\{\w*(index|id|number)\}", "1", face.path)
            answer = vic(one.method, re.sub(r"\{\w+\}", "x", path), {})
            assert answer.status_code == 403, face.id


@pytest.mark.parametrize("text", ["!!!", "bm9jb2xvbg==", "YWRhOndyb25n", "bm9ib2R5OndyZW5n"])
def test_wrong_basic_credentials_are_one_and_the_same_401(client, store, text):
    answer = client.get("/api/v1/dags", headers={"Authorization": f"Basic {text}"})

    assert answer.status_code == 401
    assert answer.json == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": None,
    }


def test_the_sixth_wrong_password_is_not_even_looked_at(client, store):
    wrong = base64.b64encode(b"ada:wrong").decode()
    codes = [
        client.get("/api/v1/dags", headers={"Authorization": f"Basic {wrong}"}).status_code
        for _ in range(6)
    ]

    assert codes == [401] * 5 + [429]


def test_a_new_password_counts_at_once(v1, store):
    assert v1("GET", "/dags").status_code == 200
    store.users.set_password("ada", "other", now=NOW, actor="user:test")

    assert v1("GET", "/dags").status_code == 401


def test_name_and_password_buy_a_token(client, store):
    answer = client.post("/auth/token", json={"username": "ada", "password": "ada-password"})

    assert answer.status_code == 201
    assert bearer(client, answer.json["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "ada", "password": "no"}, 401),
        ({"username": "ada"}, 400),
        ({}, 400),
        ([], 400),
    ],
)
def test_no_token_without_the_right_password(client, store, body, status):
    assert client.post("/auth/token", json=body).status_code == status


def test_a_token_ends_with_its_time_and_with_the_password(client, store, clock):
    token = make_token(store.users.get("ada"), NOW)

    assert bearer(client, token).status_code == 200
    clock.advance(days=2)
    assert bearer(client, token).status_code == 401

    fresh = make_token(store.users.get("ada"), clock.now())
    store.users.set_password("ada", "other", now=NOW, actor="user:test")
    assert bearer(client, fresh).status_code == 401


@pytest.mark.parametrize(
    ("change", "algorithm"),
    [({"aud": "other"}, "HS512"), ({"nbf": NOW + timedelta(hours=1)}, "HS512"), ({}, "none")],
)
def test_forged_tokens_are_refused(client, store, change, algorithm):
    user = store.users.get("ada")
    claims = {
        "sub": "ada",
        "jti": "1",
        "aud": AUDIENCE,
        "nbf": NOW,
        "iat": NOW,
        "exp": NOW + timedelta(hours=2),
        "fpr": user.password_fingerprint,
        **change,
    }
    key = "" if algorithm == "none" else str(conf.get("api_auth", "jwt_secret"))
    forged = jwt.encode(claims, key, algorithm=algorithm)

    assert bearer(client, forged).status_code == 401
    assert bearer(client, "not.a.token").status_code == 401


def test_a_session_reads_but_writes_only_with_its_csrf_token(client, store, orders):
    csrf = log_in(client, "ada")

    assert client.get("/api/v1/dags").status_code == 200
    body = {"is_paused": True}
    bare = client.patch("/api/v1/dags/orders", json=body)
    foreign = client.patch(
        "/api/v1/dags/orders", json=body, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert (bare.status_code, foreign.status_code) == (403, 403)
    assert not store.dags.get(orders).is_paused
    good = client.patch("/api/v1/dags/orders", json=body, headers={"X-CSRFToken": csrf})
    assert good.status_code == 200
