"""Secrets that were put in come out nowhere: no answer, page, log line or audit row has them."""

from __future__ import annotations

import json
import logging
import re

import pytest
from cryptography.fernet import Fernet
from tradewind.control import access_tokens, connections, variables, webhooks
from tradewind.control.services import Services
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.sdk import configuration
from tradewind.sdk.configuration import conf
from tradewind.sdk.connection import Connection
from tradewind.webserver.api.tokens import make_token

from .conftest import FOREIGN, NOW, filled_routes

CANARY = "canary-5e1f"


@pytest.fixture
def planted(two_dags, store, services, person, monkeypatch) -> set[str]:
    """Plant a secret of each kind; return all of them."""
    for name in ("CORE__FERNET_KEY", "OIDC__CLIENT_SECRET", "SMTP__SMTP_PASSWORD"):
        monkeypatch.setenv(f"AIRFLOW__{name}", f"{CANARY}-{name}")
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", f"{CANARY}-jwt-secret".ljust(64, "-"))
    monkeypatch.setenv("AIRFLOW__API__EXPOSE_CONFIG", "True")
    configuration.reset()
    extra = json.dumps({"token": CANARY, "deep": {"private_key": CANARY}, "plain": 1})
    connections.add_connection(
        services,
        Connection.from_fields(
            {"conn_id": "c", "conn_type": "http", "password": CANARY, "extra": extra}
        ),
    )
    variables.set_variable(services, "my_password", CANARY)
    store.users.set_password("vic", CANARY, now=NOW, actor="user:ada")
    uma = store.users.get("uma")
    token = access_tokens.create_token(services, "ada", "ci")[1]
    hook = webhooks.create_webhook(services, "hook", dag_id="mine")
    person("vic").log_in(CANARY)
    person("ada").log_in(f"{CANARY}-wrong")
    store.xcoms.set(
        dag_id="mine", run_id="mine_run", task_id="mine_task", map_index=-1, key="api_key",
        value=json.dumps(CANARY), length=None, now=NOW,
    )  # fmt: skip
    return {CANARY, token, hook, make_token(uma, NOW), store.settings.fernet_key,
            str(conf.get("api", "secret_key"))}  # fmt: skip


def test_no_route_shows_a_planted_secret(planted, person, app, store, caplog):
    ada, shown = person("ada"), 0
    caplog.set_level(logging.DEBUG)
    ada.log_in()
    hashes = {row.password_fingerprint for row in store.users.list()}
    for path in filled_routes(app):
        answer = ada.client.get(path)
        shown += answer.status_code == 200
        assert answer.status_code < 500 or answer.status_code == 503, path
        for secret in planted | hashes:
            assert secret not in answer.text, path
        assert "scrypt:" not in answer.text, path
    assert shown > 90
    written = json.dumps([one.detail for one in store.events.list(limit=10_000)]) + caplog.text
    for secret in planted:
        assert secret not in written


def test_nothing_is_stored_in_plain_text(planted, store):
    with store.database.read() as connection:
        for table in store_tables():
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):
                if table == "xcom":
                    continue  # what tasks return is theirs
                for secret in planted:
                    assert secret not in str(tuple(row)), table


def store_tables() -> list[str]:
    from tradewind.database.tables import metadata

    return [table.name for table in metadata.sorted_tables]


def test_a_rotated_key_opens_all_and_the_old_one_nothing(store, services, tmp_path):
    old, new = (Fernet.generate_key().decode() for _ in range(2))

    def opened(keys: str) -> Store:
        return Store(StoreSettings(url=f"sqlite:///{tmp_path}/t.db", fernet_key=keys))

    from tradewind.database.migrate import migrate

    migrate(StoreSettings(url=f"sqlite:///{tmp_path}/t.db"))
    first = opened(old)
    acting = Services(first, services.clock, "user:ada")
    variables.set_variable(acting, "v", CANARY)
    fields = {"conn_id": "c", "conn_type": "http", "password": CANARY, "extra": '{"a": 1}'}
    connections.add_connection(acting, Connection.from_fields(fields))
    first.close()

    both = opened(f"{new},{old}")
    assert both.variables.get("v").value == CANARY
    counts = both.encryption.rotate(now=NOW, actor="user:ada")
    assert (counts["variables"], counts["connections"]) == (1, 1)
    [event] = both.events.list(kinds=["fernet_key.rotated"])
    assert event.actor == "user:ada"
    both.close()

    after = opened(new)
    assert after.variables.get("v").value == CANARY
    assert after.connections.get("c")["password"] == CANARY
    after.close()
    before = opened(old)
    with pytest.raises(Exception, match="variable 'v' cannot be decrypted") as caught:
        before.variables.get("v")
    assert CANARY not in str(caught.value)
    with pytest.raises(Exception, match="'v' cannot be read with any key"):
        before.encryption.rotate(now=NOW, actor="user:ada")
    before.close()


def test_the_words_of_the_audit_say_who_did_what_from_where(planted, person, store):
    ada = person("ada")
    body = {"key": "another_secret", "value": CANARY}
    assert ada.api("POST", "/api/v2/variables", body).status_code == 201

    [event] = store.events.list(kinds=["variable.set"], limit=1)

    assert (event.actor, event.detail["key"]) == ("user:ada", "another_secret")
    assert event.detail["from"] == "127.0.0.1"
    assert not re.search(FOREIGN, json.dumps(event.detail))
