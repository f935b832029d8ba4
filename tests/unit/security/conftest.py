"""The whole web application over a store in memory, with two DAGs and people of every kind.

``mine`` may be seen by sal, ``zebra`` may not; nothing that sal is shown may hold that word.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from tradewind.control import roles
from tradewind.control.permissions import BUILT_IN
from tradewind.control.services import Services
from tradewind.control.trigger import trigger_dag
from tradewind.database import users
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.sdk import configuration
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import (
    SerializedAsset,
    SerializedDag,
    SerializedTask,
    SerializedTimetable,
    encode,
)
from tradewind.webserver.app import create_app
from tradewind.webserver.throttle import LoginThrottle, parse_rate

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)
FOREIGN = "zebra"
#: Roles of each person; sal has all of a User's but the DAGs, and one DAG by its file.
PEOPLE = {
    "ada": "Admin",
    "olga": "Op",
    "uma": "User",
    "vic": "Viewer",
    "pat": "Public",
    "sal": "Sales",
}
hash_once = cache(users._hash)


class Person:
    """Asks as somebody, with basic credentials; pages are asked with a session."""

    def __init__(self, app: Flask, name: str | None) -> None:
        self.client: FlaskClient = app.test_client()
        self.name = name
        self.headers: dict[str, str] = {}
        if name is not None:
            pair = base64.b64encode(f"{name}:{name}-password".encode()).decode()
            self.headers["Authorization"] = f"Basic {pair}"

    def api(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        headers = {**self.headers, **more.pop("headers", {})}
        return self.client.open(path, method=method, json=json, headers=headers, **more)

    def csrf(self, path: str = "/login") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(path).text)
        assert found
        return found[1]

    def log_in(self, password: str | None = None, **more: Any) -> Any:
        form = {
            "username": str(self.name),
            "password": password or f"{self.name}-password",
            "csrf_token": self.csrf(),
        }
        return self.client.post("/login", data=form, **more)

    def post(self, path: str, data: dict[str, Any]) -> Any:
        with self.client.session_transaction() as session:
            token = session.get("csrf", "")
        return self.client.post(path, data={**data, "csrf_token": token})


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def store(tmp_path, monkeypatch, clock: VirtualClock) -> Iterator[Store]:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setattr(users, "_hash", hash_once)
    configuration.reset()
    settings = StoreSettings(url="", fernet_key=Fernet.generate_key().decode())
    made = Store.in_memory(settings, clock)
    services = Services(made, clock, "user:test")
    sales = BUILT_IN["User"] - {(action, "DAGs") for action in ("can_read", "can_edit")}
    roles.create_role(services, "Sales", sales - {("can_delete", "DAGs")})
    for name, role in PEOPLE.items():
        password = f"{name}-password"
        made.users.create(username=name, password=password, roles=[role], now=NOW)
    yield made
    made.close()
    configuration.reset()


@pytest.fixture
def services(store, clock) -> Services:
    return Services(store, clock, "user:test")


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory) -> Flask:
    """Hundreds of routes take a while to be compiled: once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEWIND_HOME", str(tmp_path_factory.mktemp("home")))
        configuration.reset()
        clock = VirtualClock(NOW)
        app = create_app(Services(Store.in_memory(clock=clock), clock))
        configuration.reset()
    return app


@pytest.fixture
def app(shared_app: Flask, store, clock) -> Flask:
    shared_app.extensions["services"] = Services(store, clock)
    shared_app.extensions["login_throttle"] = LoginThrottle(parse_rate("5 per 40 second"))
    return shared_app


@pytest.fixture
def person(app):
    """person("ada") asks as ada; person(None) as nobody."""
    return lambda name: Person(app, name)


def dag_of(dag_id: str, file: str | None = None, **more: Any) -> SerializedDag:
    file = file or f"{dag_id}.py"
    return SerializedDag(
        dag_id=dag_id,
        dialect="3",
        timetable=SerializedTimetable(kind="null"),
        relative_fileloc=file,
        fileloc=f"/dags/{file}",
        tags=[f"{dag_id}_tag"],
        tasks=[
            SerializedTask(
                task_id=f"{dag_id}_task",
                task_type="PythonOperator",
                owner=f"{dag_id}_owner",
                **more.pop("task", {}),
            )
        ],
        **more,
    )


def save(store: Store, *dags: SerializedDag, error: str | None = None) -> None:
    """Save the DAGs of one file, as the parser would."""
    store.files.save(
        ParsedFile(
            relative_path=dags[0].relative_fileloc,
            path=dags[0].fileloc,
            content_hash=error or "1",
            parsed_at=NOW,
            duration_s=0.1,
            dags=[] if error else [ParsedDag(one.dag_id, encode(one)) for one in dags],
            error=error,
            source=f"# {', '.join(one.dag_id for one in dags)}\n",
        ),
        NOW,
    )


@pytest.fixture
def two_dags(services, store) -> None:
    """``mine`` and ``zebra``, each with a run, an XCom, notes, events; both read one asset."""
    outlet = SerializedAsset(name="orders", uri="x://orders")
    full = ["can_delete", "can_edit", "can_read"]
    save(store, dag_of("mine", access_control={"Sales": full}))
    save(store, dag_of(FOREIGN, task={"outlets": [outlet]}))
    for dag_id in ("mine", FOREIGN):
        store.dags.set_paused(dag_id, False, NOW, "user:test")
        trigger_dag(services, dag_id, run_id=f"{dag_id}_run", conf={"of": dag_id}, note=dag_id)
        store.xcoms.set(
            dag_id=dag_id,
            run_id=f"{dag_id}_run",
            task_id=f"{dag_id}_task",
            map_index=-1,
            key=f"{dag_id}_key",
            value=json.dumps(dag_id),
            length=None,
            now=NOW,
        )
    store.runs.start_queued(NOW)
    # Both files are broken now; a third one holds a DAG of each kind.
    save(store, dag_of(FOREIGN), error=f"SyntaxError in {FOREIGN}")
    save(
        store,
        dag_of("half", "both.py", access_control={"Sales": full}),
        dag_of(f"{FOREIGN}_half", "both.py"),
    )


def filled_routes(app: Flask) -> list[str]:
    """Return the address of each GET route of pages and API, with what is there in the places."""
    values = {
        "dag_id": "mine",
        "run_id": "mine_run",
        "dag_run_id": "mine_run",
        "task_id": "mine_task",
        "xcom_key": "mine_key",
        "connection_id": "c",
        "variable_key": "my_password",
        "pool_name": "default_pool",
        "section": "core",
        "option": "fernet_key",
        "username": "ada",
        "role_name": "Admin",
        "task_try_number": "1",
        "uri": "x://orders",
    }
    return [
        re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", lambda m: values.get(m[1], "1"), rule.rule)
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods
        and not rule.rule.startswith(("/static", "/ui/stream"))
        and not rule.rule.endswith(("/wait", "/auth/logout"))
    ]
