"""How people come in and go out: sessions, tokens, proxies, backends by name."""

from __future__ import annotations

import re

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select
from tradewind.control import access_tokens
from tradewind.database.errors import NotAllowed
from tradewind.database.tables import access_token, login_session, webhook
from tradewind.sdk import configuration
from tradewind.sdk.errors import TradewindError
from tradewind.webserver import proxies
from tradewind.webserver.api.tokens import make_token
from tradewind.webserver.app import create_app
from tradewind.webserver.auth_backends import Backends, read_backends

from .conftest import NOW, Person


def stored(store, column):
    with store.database.read() as connection:
        return list(connection.execute(select(column)).scalars())


def bearer(client, token: str, path: str = "/api/v2/dags"):
    return client.get(path, headers={"Authorization": f"Bearer {token}"})


def cookie_of(client) -> str:
    return client.get_cookie("session").value


def test_row_4_a_login_begins_a_session_with_another_id(person):
    ada = person("ada")
    ada.csrf()
    before = cookie_of(ada.client)
    ada.log_in()

    assert cookie_of(ada.client) != before


@pytest.mark.parametrize("end", ["logout", "password", "deactivation", "roles", "deletion"])
def test_row_5_the_cookie_of_an_ended_session_is_worth_nothing(end, person, store, services):
    uma = person("uma")
    uma.log_in()
    old = cookie_of(uma.client)
    assert uma.client.get("/dags").status_code == 200
    assert uma.client.get("/api/v1/dags").status_code == 200

    about = {"now": NOW, "actor": "user:ada"}
    if end == "logout":
        uma.post("/logout", {})
    elif end == "password":
        store.users.set_password("uma", "another", **about)
    elif end == "deactivation":
        store.users.set_active("uma", False, **about)
    elif end == "roles":
        store.users.set_roles("uma", ["Viewer"], **about)
    else:
        store.users.delete("uma", **about)
    uma.client.set_cookie("session", old)

    assert uma.client.get("/dags").status_code == 302
    assert uma.client.get("/api/v1/dags").status_code == 401
    assert stored(store, login_session.c.id) == []


def test_a_session_ends_when_it_is_not_used_and_after_ninety_days_however_much_it_is(person, clock):
    ada = person("ada")
    ada.log_in()
    for _ in range(4):
        clock.advance(days=20)
        assert ada.client.get("/dags").status_code == 200
    clock.advance(days=20)
    assert ada.client.get("/dags").status_code == 302

    ada.log_in()
    clock.advance(days=31)
    assert ada.client.get("/dags").status_code == 302


def test_the_cookie_is_secure_behind_https_and_hidden_from_scripts(person):
    plain = person("ada").log_in().headers["Set-Cookie"]
    safe = person("ada").client.get("/login", base_url="https://x").headers["Set-Cookie"]

    for words in (plain, safe):
        assert "HttpOnly" in words
        assert "SameSite=Lax" in words
        assert "Path=/" in words
    assert "Secure" not in plain
    assert "Secure" in safe


def test_a_personal_token_stands_for_its_user_until_it_expires_or_is_revoked(
    person, store, services, clock
):
    uma, client = person("uma"), person(None).client
    made = uma.api("POST", "/api/v2/tokens", {"name": "ci", "days": 2})
    token = made.json["access_token"]

    assert made.status_code == 201
    assert bearer(client, token).status_code == 200
    assert bearer(client, token, "/api/v2/variables").status_code == 403
    assert token not in stored(store, access_token.c.token_hash)
    [listed] = uma.api("GET", "/api/v2/tokens").json["tokens"]
    assert (listed["name"], "token" in str(listed.keys())) == ("ci", False)

    number = made.json["id"]
    assert person("vic").api("DELETE", f"/api/v2/tokens/{number}").status_code == 404
    assert uma.api("DELETE", f"/api/v2/tokens/{number}").status_code == 204
    assert bearer(client, token).status_code == 401

    second = access_tokens.create_token(services, "uma", "ci", days=2)[1]
    clock.advance(days=3)
    assert bearer(client, second).status_code == 401


@pytest.mark.parametrize("end", ["password", "deactivation"])
def test_row_5_tokens_end_with_the_password_and_with_the_user(end, person, store, services):
    client = person(None).client
    personal = access_tokens.create_token(services, "uma", "ci")[1]
    signed = make_token(store.users.get("uma"), NOW)
    assert [bearer(client, one).status_code for one in (personal, signed)] == [200, 200]

    if end == "password":
        store.users.set_password("uma", "another", now=NOW, actor="user:uma")
    else:
        store.users.set_active("uma", False, now=NOW, actor="user:ada")

    assert [bearer(client, one).status_code for one in (personal, signed)] == [401, 401]


def test_row_7_a_token_that_was_given_back_is_refused(person, store):
    client = person(None).client
    token = make_token(store.users.get("uma"), NOW)

    out = bearer(client, token, "/api/v2/auth/logout")

    assert out.status_code == 307
    assert bearer(client, token).status_code == 401
    assert bearer(client, make_token(store.users.get("uma"), NOW)).status_code == 200


def test_tokens_are_signed_with_a_private_key_where_one_is_set(
    person, store, tmp_path, monkeypatch
):
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH", str(tmp_path / "key.pem"))
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_ISSUER", "here")
    configuration.reset()

    token = make_token(store.users.get("uma"), NOW)

    assert jwt.get_unverified_header(token)["alg"] == "EdDSA"
    assert bearer(person(None).client, token).status_code == 200
    claims = jwt.decode(token, options={"verify_signature": False})
    forged = jwt.encode(claims, "x" * 64, algorithm="HS512")
    other = jwt.encode({**claims, "iss": "elsewhere"}, key, algorithm="EdDSA")
    assert bearer(person(None).client, forged).status_code == 401
    assert bearer(person(None).client, other).status_code == 401


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("airflow.api.auth.backend.deny_all", Backends(False, False, False, True)),
        ("airflow.api.auth.backend.session", Backends(False, True, False, False)),
        (
            "airflow.providers.fab.auth_manager.api.auth.backend.basic_auth,session",
            Backends(True, True, False, False),
        ),
        ("tradewind.proxy_header, default", Backends(False, False, True, False)),
    ],
)
def test_backends_are_known_by_their_names(text, expected, monkeypatch, store):
    monkeypatch.setenv("AIRFLOW__API__AUTH_BACKENDS", text)
    configuration.reset()

    assert read_backends() == expected


def test_a_backend_that_we_do_not_have_is_one_clear_line(monkeypatch, store):
    monkeypatch.setenv("AIRFLOW__API__AUTH_BACKENDS", "airflow.api.auth.backend.kerberos_auth")
    configuration.reset()

    with pytest.raises(TradewindError, match="kerberos_auth"):
        read_backends()


@pytest.mark.parametrize(
    ("backends", "basic", "session", "token"),
    [
        (Backends(True, True, False, False), 200, 200, 200),
        (Backends(False, True, False, False), 401, 200, 200),
        (Backends(True, False, False, False), 200, 401, 200),
        (Backends(True, True, False, True), 401, 401, 401),
    ],
)
def test_only_credentials_that_the_settings_allow_are_taken(
    backends, basic, session, token, person, app, store, monkeypatch
):
    monkeypatch.setitem(app.extensions, "auth_backends", backends)
    with_cookie = person("ada")
    with_cookie.log_in()

    assert person("ada").api("GET", "/api/v1/dags").status_code == basic
    assert with_cookie.client.get("/api/v1/dags").status_code == session
    signed = make_token(store.users.get("ada"), NOW)
    assert bearer(person(None).client, signed).status_code == token


@pytest.fixture
def proxied(store, services, monkeypatch):
    """Applications that believe a proxy in 10.0.0.0/8."""
    monkeypatch.setenv("AIRFLOW__API__AUTH_BACKENDS", "proxy_header")
    monkeypatch.setenv("TRADEWIND__PROXY_AUTH__TRUSTED_PROXIES", "10.0.0.0/8")
    monkeypatch.setenv("TRADEWIND__PROXY_AUTH__REGISTRATION_ROLE", "Viewer")
    monkeypatch.setenv("AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX", "True")
    configuration.reset()
    return create_app(services)


def test_a_user_is_believed_from_a_trusted_proxy_only(proxied, store):
    client = proxied.test_client()
    named = {"X-Forwarded-User": "grace"}

    near = client.get("/api/v2/dags", headers=named, environ_base={"REMOTE_ADDR": "10.1.2.3"})
    far = client.get("/api/v2/dags", headers=named, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    faked = client.get(
        "/api/v2/dags",
        headers={**named, "X-Forwarded-For": "10.1.2.3"},
        environ_base={"REMOTE_ADDR": "192.0.2.1"},
    )

    assert (near.status_code, far.status_code, faked.status_code) == (200, 401, 401)
    assert store.users.get("grace").roles == ("Viewer",)
    assert not store.users.get("grace").has_password
    assert Person(proxied, "grace").log_in("").status_code == 401


def test_a_deactivated_user_is_not_let_in_by_a_proxy(proxied, store):
    store.users.set_active("uma", False, now=NOW, actor="user:ada")
    answer = proxied.test_client().get(
        "/api/v2/dags",
        headers={"X-Forwarded-User": "uma"},
        environ_base={"REMOTE_ADDR": "10.1.2.3"},
    )

    assert answer.status_code == 401


def test_proxy_header_without_a_trusted_proxy_does_not_start(monkeypatch, store):
    configuration.reset()

    with pytest.raises(TradewindError, match="trusted_proxies is empty"):
        proxies.trusted_proxies()


def test_row_10_forwarded_hosts_are_ignored_without_the_setting(person):
    answer = person(None).client.get("/dags", headers={"X-Forwarded-Host": "evil.example"})

    assert "evil.example" not in answer.headers["Location"] + answer.text


def test_anybody_reads_what_a_role_for_anybody_may_and_never_writes(
    person, two_dags, store, monkeypatch
):
    assert person(None).api("GET", "/api/v2/dags").status_code == 401
    monkeypatch.setenv("AIRFLOW__FAB__AUTH_ROLE_PUBLIC", "Admin")
    configuration.reset()
    nobody = person(None)
    before = store.events.last_id()

    assert nobody.api("GET", "/api/v2/dags").json["total_entries"] == 4
    assert nobody.client.get("/dags").status_code == 200
    for method, path in (
        ("POST", "/api/v2/dags/mine/dagRuns"),
        ("PATCH", "/api/v2/dags/mine"),
        ("DELETE", "/api/v2/dags/mine"),
        ("POST", "/api/v2/variables"),
        ("POST", "/api/v2/tokens"),
    ):
        assert nobody.api(method, path, {}).status_code in (401, 403), path
    nobody.csrf()
    assert nobody.post("/dags/mine/paused", {"is_paused": "true"}).status_code == 302
    assert store.events.last_id() == before


def test_the_last_admin_cannot_be_taken_away(services):
    from tradewind.control import users

    for act in (
        lambda: users.delete_user(services, username="ada"),
        lambda: users.set_active(services, "ada", is_active=False),
        lambda: users.set_roles(services, "ada", ["Viewer"]),
    ):
        with pytest.raises(NotAllowed, match="last admin"):
            act()


def test_a_webhook_starts_runs_of_one_dag_with_its_token_and_nothing_else(
    person, two_dags, store, clock
):
    uma, nobody = person("uma"), person(None)
    made = uma.api("POST", "/api/v2/webhooks", {"name": "shop", "dag_id": "mine"})
    token = made.json["token"]
    assert made.status_code == 201
    assert token not in stored(store, webhook.c.token_hash)

    def call(given=token, name="shop", **more):
        headers = {"Authorization": f"Bearer {given}", **more}
        return nobody.client.post(f"/hooks/{name}", json={"order": 1}, headers=headers)

    done = call()
    assert done.status_code == 201
    run = store.runs.get("mine", done.json["run_id"])
    assert (run.conf, run.triggering_user) == ({"order": 1}, "webhook:shop")
    [event] = store.events.list(dag_id="mine", kinds=["run.triggered"], limit=1)
    assert event.actor == "webhook:shop"
    assert event.detail["from"] == "127.0.0.1"
    same = [call(**{"Idempotency-Key": "k"}).json["run_id"] for _ in range(2)]
    assert same[0] == same[1]

    assert call("twh_wrong").status_code == call(name="other").status_code == 401
    assert call("twh_wrong").json == call(name="other").json
    assert bearer(nobody.client, token).status_code == 401
    assert person("vic").api("GET", "/api/v2/webhooks").status_code == 403
    assert uma.api("DELETE", "/api/v2/webhooks/shop").status_code == 204
    assert call().status_code == 401


def test_a_webhook_is_made_only_by_those_who_may_do_what_it_does(person, two_dags):
    sal = person("sal")

    assert sal.api("POST", "/api/v2/webhooks", {"name": "a", "dag_id": "zebra"}).status_code == 403
    assert sal.api("POST", "/api/v2/webhooks", {"name": "a", "dag_id": "mine"}).status_code == 201


def test_a_webhook_posts_events_of_its_asset_and_is_limited(person, two_dags, store):
    made = person("uma").api("POST", "/api/v2/webhooks", {"name": "o", "asset_uri": "x://orders"})
    headers = {"X-Webhook-Token": made.json["token"]}
    client = person(None).client

    codes = [client.post("/hooks/o", json={"n": n}, headers=headers) for n in range(61)]

    assert [one.status_code for one in codes] == [201] * 60 + [429]
    assert int(codes[-1].headers["Retry-After"]) >= 1
    assert client.post("/hooks/o", json=[1], headers=headers).status_code == 429


def test_the_same_key_and_request_are_done_once(person, two_dags, store, clock):
    uma = person("uma")
    path, key = "/api/v2/dags/mine/dagRuns", {"Idempotency-Key": "order-1"}

    first = uma.api("POST", path, {"conf": {"a": 1}}, headers=key)
    clock.advance(seconds=5)
    second = uma.api("POST", path, {"conf": {"a": 1}}, headers=key)
    other = uma.api("POST", path, {"conf": {"a": 2}}, headers=key)
    elsewhere = person("ada").api("POST", path, {"conf": {"a": 1}}, headers=key)

    assert (first.status_code, second.status_code, other.status_code) == (200, 200, 422)
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"
    assert elsewhere.json["dag_run_id"] != first.json["dag_run_id"]
    assert uma.api("POST", path, {}, headers={"Idempotency-Key": "x" * 300}).status_code == 400
    clock.advance(days=2)
    assert uma.api("POST", path, {"conf": {"a": 2}}, headers=key).status_code == 200


def test_a_request_that_came_to_nothing_gives_its_key_back(person, two_dags):
    uma, key = person("uma"), {"Idempotency-Key": "k"}
    taken = {"dag_run_id": "mine_run"}

    assert uma.api("POST", "/api/v2/dags/mine/dagRuns", taken, headers=key).status_code == 409
    assert uma.api("POST", "/api/v2/dags/mine/dagRuns", {}, headers=key).status_code == 200


def test_who_asks_too_often_is_asked_to_come_later(person, app, monkeypatch):
    from tradewind.webserver.throttle import RequestRate, parse_rate

    monkeypatch.setitem(app.extensions, "request_rate", RequestRate(parse_rate("3 per minute")))
    ada = person("ada")
    answers = [ada.api("GET", "/api/v2/dags") for _ in range(4)]

    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "20"
    assert person("vic").api("GET", "/api/v1/dags").status_code == 200
    assert person(None).client.get("/health").status_code == 200


def test_a_lost_place_in_line_is_a_503_that_says_when_to_come_again():
    import threading

    from tradewind.webserver.limits import Line

    gate, inside = threading.Event(), threading.Event()

    def slow(environ, start_response):
        inside.set()
        gate.wait(10)
        start_response("200 OK", [])
        return [b"done"]

    line = Line(slow, at_once=1, wait_s=0.05)
    first = threading.Thread(target=lambda: line({}, lambda *_: None))
    first.start()
    inside.wait(10)
    seen = []

    assert line({}, lambda status, headers: seen.append((status, dict(headers))))
    gate.set()
    assert line({"PATH_INFO": "/health"}, lambda *_: None) == [b"done"]
    gate.set()
    first.join(10)
    assert seen[0][0].startswith("503")
    assert seen[0][1]["Retry-After"] == "2"


def test_every_act_of_a_person_says_from_where(person, two_dags, store):
    person("uma").api("PATCH", "/api/v2/dags/mine", {"is_paused": True})

    [event] = store.events.list(dag_id="mine", kinds=["dag.paused"], limit=1)
    assert (event.actor, event.detail["from"]) == ("user:uma", "127.0.0.1")


def test_old_sessions_are_removed_when_new_ones_begin(person, store, clock):
    person("ada").log_in()
    clock.advance(days=40)
    person("vic").log_in()

    assert len(stored(store, login_session.c.id)) == 1


def test_a_reader_makes_and_revokes_tokens_and_changes_the_password_on_a_page(person, store):
    uma = person("uma")
    uma.log_in()

    made = uma.post("/account/tokens", {"name": "ci", "days": "3"})
    token = re.search(r'id="new-token">([^<]+)<', made.text)[1]
    assert bearer(person(None).client, token).status_code == 200
    assert token not in uma.client.get("/account").text
    [row] = store.access_tokens.list()
    uma.post("/account/tokens", {"act": "revoke", "id": str(row.id)})
    assert store.access_tokens.list() == []

    change = {"old": "uma-password", "password": "another", "again": "another"}
    assert uma.post("/account/password", {**change, "again": "x"}).status_code == 400
    assert uma.post("/account/password", {**change, "old": "x"}).status_code == 400
    assert uma.post("/account/password", change).status_code == 302
    assert uma.client.get("/account").status_code == 200
    assert person("uma").log_in("another").status_code == 302


def test_a_webhook_is_made_and_revoked_on_a_page(person, two_dags, store):
    sal = person("sal")
    sal.log_in()

    made = sal.post("/webhooks", {"name": "shop", "dag_id": "mine"})
    token = re.search(r'id="new-token">([^<]+)<', made.text)[1]
    answer = person(None).client.post("/hooks/shop", headers={"X-Webhook-Token": token})
    assert answer.status_code == 201
    assert sal.post("/webhooks", {"name": "b", "dag_id": "zebra"}).status_code == 403
    assert sal.post("/webhooks", {"act": "revoke", "name": "shop"}).status_code == 302
    assert store.webhooks.list() == []


def test_scripts_of_other_sites_use_the_api_only_from_origins_that_are_named(
    services, person, monkeypatch
):
    asked = {"Origin": "https://one.example", "Access-Control-Request-Method": "POST"}
    name = "Access-Control-Allow-Origin"
    assert name not in person(None).client.options("/api/v2/dags", headers=asked).headers
    monkeypatch.setenv("AIRFLOW__API__ACCESS_CONTROL_ALLOW_ORIGINS", "https://one.example")
    configuration.reset()
    client = create_app(services).test_client()

    before = client.options("/api/v2/dags", headers=asked)
    foreign = client.options("/api/v2/dags", headers={**asked, "Origin": "https://two.example"})
    page = client.get("/login", headers=asked)

    assert (before.status_code, before.headers[name]) == (204, "https://one.example")
    assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
    assert name not in foreign.headers
    assert name not in page.headers
    assert "Access-Control-Allow-Credentials" not in before.headers


def test_a_wrong_password_is_in_the_audit_and_what_was_typed_is_not(person, store):
    person("vic").log_in("canary-typo")
    person("nobody").log_in("canary-typo")

    [event] = store.events.list(kinds=["user.login_failed"])
    assert (event.actor, event.detail) == ("user:vic", {"from": "127.0.0.1"})
