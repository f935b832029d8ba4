"""Who gets in, and how sessions begin and end."""

from __future__ import annotations

import re

import pytest
from tradewind.control.services import Services
from tradewind.sdk import configuration
from tradewind.sdk.errors import TradewindError
from tradewind.webserver.api import version_of
from tradewind.webserver.app import create_app, secret_key
from tradewind.webserver.auth import safe_next

#: What anybody may see.
OPEN_ENDPOINTS = {
    "static",
    "assets",
    "auth.login",
    "auth.logout",
    "health.health",
    "hooks.call",  # asks for the token of the webhook
    "metrics.metrics",  # asks for credentials of its own, not for a login
    "api_page_v1",
    "api_page_v2",
    "api_page_redoc",
    "swagger_ui",
}


def test_every_route_but_the_open_ones_asks_for_a_login(client) -> None:
    app = client.application
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN_ENDPOINTS or "GET" not in rule.methods:
            continue
        if version_of(rule.rule) is not None:  # tests of the API ask the same of its routes
            continue
        path = re.sub(r"<any\(['\"]?(\w+)[^>]*>", r"\1", rule.rule)
        path = re.sub(r"<[^>]*>", "1", path)
        answer = client.get(path)
        assert answer.status_code == 302, rule.endpoint
        assert answer.location.startswith("/login?next="), rule.endpoint


def test_every_route_declares_its_permission(client) -> None:
    app = client.application
    missing = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in OPEN_ENDPOINTS
        and version_of(rule.rule) is None
        and not hasattr(app.view_functions[rule.endpoint], "permission")
    ]
    assert missing == []


def test_the_right_password_opens_the_list_of_dags(browser, client) -> None:
    answer = browser.log_in("ada")

    assert (answer.status_code, answer.location) == (302, "/")
    assert client.get("/dags").status_code == 200


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(browser, name) -> None:
    answer = browser.log_in(name, "wrong")

    assert answer.status_code == 401
    assert "Wrong user name or password" in answer.text


def test_the_sixth_attempt_within_forty_seconds_is_refused_and_a_later_one_is_not(
    browser, clock
) -> None:
    for _ in range(5):
        browser.log_in("ada", "wrong")

    assert browser.log_in("ada").status_code == 429
    clock.advance(seconds=41)
    assert browser.log_in("ada").status_code == 302


def test_a_changed_password_ends_the_session(browser, client, store, clock) -> None:
    browser.log_in("ada")

    store.users.set_password("ada", "another-password", now=clock.now(), actor="user:test")

    assert client.get("/dags").status_code == 302


def test_logging_out_ends_the_session(browser, client) -> None:
    browser.log_in("ada")

    browser.post("/logout", {})

    assert client.get("/dags").status_code == 302


def test_a_write_without_the_token_is_refused_and_changes_nothing(
    browser, client, store, orders
) -> None:
    browser.log_in("ada")
    before = store.dags.get(orders).is_paused

    answer = client.post(f"/dags/{orders}/paused", data={"is_paused": str(not before).lower()})

    assert answer.status_code == 400
    assert store.dags.get(orders).is_paused == before


def test_a_viewer_may_look_but_not_trigger_or_pause(browser, client, store, orders) -> None:
    browser.log_in("vic")

    assert client.get(f"/dags/{orders}").status_code == 200
    assert browser.post(f"/dags/{orders}/trigger", {"conf": "{}"}).status_code == 403
    assert browser.post(f"/dags/{orders}/paused", {"is_paused": "false"}).status_code == 403
    assert store.runs.list(orders) == []


@pytest.mark.parametrize(
    "target",
    ["https://evil", "//evil", "///evil", "/\\evil", "%5C%5Cevil", "%2F%2Fevil", "javascript:x",
     "https:evil", "/\tevil", "/%09/evil", ""],
)  # fmt: skip
def test_only_a_path_of_ours_is_followed_after_login(target) -> None:
    assert safe_next(target) == "/"


def test_a_path_of_ours_is_kept() -> None:
    assert safe_next("/dags/orders?search=a") == "/dags/orders?search=a"


def test_the_server_refuses_a_key_that_everybody_knows(monkeypatch) -> None:
    monkeypatch.setenv("TRADEWIND__WEBSERVER__SECRET_KEY", "temporary_key")
    configuration.reset()

    with pytest.raises(TradewindError, match="secret_key"):
        secret_key()


def test_a_home_keeps_the_key_that_was_made_for_it(client) -> None:
    assert secret_key() == client.application.secret_key
    assert len(secret_key()) >= 32


def test_an_answer_that_changes_nothing_in_the_session_brings_no_cookie(browser, client) -> None:
    # It may pass the answer to an act in another tab, and would put an older session back.
    cookie = browser.log_in("ada").headers["Set-Cookie"]

    assert "Expires=" in cookie
    assert "Set-Cookie" not in client.get("/dags").headers
    assert "Set-Cookie" not in client.get("/dags", headers={"X-Fragment": "main"}).headers


def test_the_site_is_called_what_the_settings_say(store, clock, monkeypatch):
    monkeypatch.setenv("AIRFLOW__WEBSERVER__INSTANCE_NAME", "Sales <1>")
    page = create_app(Services(store, clock)).test_client().get("/login").text

    assert "<title>Log in · Sales &lt;1&gt;</title>" in page
    assert "<h1>Sales &lt;1&gt;</h1>" in page
