"""The API over a real store in memory, a virtual clock, one admin, and a DAG of two tasks."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from tradewind.control.services import Services
from tradewind.database import users
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.sdk import configuration
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import (
    SerializedDag,
    SerializedParam,
    SerializedTask,
    SerializedTimetable,
    encode,
)
from tradewind.webserver.app import create_app
from tradewind.webserver.throttle import LoginThrottle

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)
ROLES = {"ada": "Admin", "olga": "Op", "uma": "User", "vic": "Viewer", "pat": "Public"}


class Api:
    """Calls one version of the API as one user."""

    def __init__(self, client: FlaskClient, version: int, user: str | None = "ada") -> None:
        self.client = client
        self.prefix = f"/api/v{version}"
        self.headers = {}
        if user is not None:
            pair = base64.b64encode(f"{user}:{user}-password".encode()).decode()
            self.headers["Authorization"] = f"Basic {pair}"

    def __call__(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        headers = {**self.headers, **more.pop("headers", {})}
        return self.client.open(
            self.prefix + path, method=method, json=json, headers=headers, **more
        )

    def get(self, path: str, **more: Any) -> Any:
        """Return the JSON of an answer that has to be good."""
        answer = self("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


#: A password's hash takes 50 ms by design: each is made once for all tests.
hash_once = cache(users._hash)


def add_user(store: Store, name: str) -> None:
    password = f"{name}-password"
    store.users.create(
        username=name, password=password, roles=[ROLES[name]], now=NOW, actor="user:test"
    )


@pytest.fixture
def store(tmp_path, monkeypatch, clock: VirtualClock) -> Iterator[Store]:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setattr(users, "_hash", hash_once)
    configuration.reset()
    settings = StoreSettings(url="", fernet_key=Fernet.generate_key().decode())
    made = Store.in_memory(settings, clock)
    add_user(made, "ada")
    yield made
    made.close()
    configuration.reset()


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory) -> Flask:
    """Two hundred routes take 200 ms to be compiled: once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEWIND_HOME", str(tmp_path_factory.mktemp("home")))
        configuration.reset()
        clock = VirtualClock(NOW)
        app = create_app(Services(Store.in_memory(clock=clock), clock))
        app.testing = True
        configuration.reset()
    return app


@pytest.fixture
def client(shared_app: Flask, store: Store, clock: VirtualClock) -> FlaskClient:
    shared_app.extensions["services"] = Services(store, clock)
    shared_app.extensions["login_throttle"] = LoginThrottle.from_configuration()
    for name in ("request_rate", "webhook_rate"):  # what one test asked counts for no other
        limit = shared_app.extensions.get(name)
        if limit is not None:
            shared_app.extensions[name] = type(limit)(limit.rate)
    return shared_app.test_client()


@pytest.fixture
def v1(client: FlaskClient) -> Api:
    return Api(client, 1)


@pytest.fixture
def v2(client: FlaskClient) -> Api:
    return Api(client, 2)


def dag_of(dag_id: str, **more: Any) -> SerializedDag:
    return SerializedDag(
        dag_id=dag_id,
        dialect="3",
        timetable=SerializedTimetable(kind="null"),
        relative_fileloc=f"{dag_id}.py",
        fileloc=f"/dags/{dag_id}.py",
        tags=["shop"],
        tasks=[
            SerializedTask(task_id="load", task_type="PythonOperator", retries=1),
            SerializedTask(task_id="save", task_type="PythonOperator", upstream_task_ids=["load"]),
        ],
        **more,
    )


def save(store: Store, *dags: SerializedDag, error: str | None = None) -> None:
    for dag in dags:
        store.files.save(
            ParsedFile(
                relative_path=dag.relative_fileloc,
                path=dag.fileloc,
                content_hash="1",
                parsed_at=NOW,
                duration_s=0.1,
                dags=[] if error else [ParsedDag(dag.dag_id, encode(dag))],
                error=error,
                source=f"# {dag.dag_id}\n",
            ),
            NOW,
        )


@pytest.fixture
def orders(store: Store) -> str:
    """A DAG with two tasks and a parameter, un-paused."""
    param = SerializedParam(name="size", default=3, schema={"type": "integer"})
    save(store, dag_of("orders", params=[param]))
    store.dags.set_paused("orders", False, NOW, "user:test")
    return "orders"
