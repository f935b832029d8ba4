"""The application over a real store in memory, a virtual clock, and two users."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from tradewind.control.services import Services
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.sdk import configuration
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import SerializedDag, SerializedTask, SerializedTimetable, encode
from tradewind.webserver.app import create_app

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def store(tmp_path, monkeypatch, clock: VirtualClock) -> Iterator[Store]:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    configuration.reset()
    made = Store.in_memory(
        StoreSettings(url="", fernet_key=Fernet.generate_key().decode()), clock=clock
    )
    for name, role in (("ada", "Admin"), ("vic", "Viewer")):
        made.users.create(
            username=name,
            password=f"{name}-password",
            roles=[role],
            email="",
            first_name="",
            last_name="",
            now=NOW,
            actor="user:test",
        )
    yield made
    made.close()
    configuration.reset()


@pytest.fixture
def client(store: Store, clock: VirtualClock) -> FlaskClient:
    app = create_app(Services(store, clock))
    app.testing = True
    return app.test_client()


class Browser:
    """A client that reads the CSRF token from pages, as a person's browser does."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def token(self, path: str) -> str:
        page = self.client.get(path).text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page
        return found.group(1)

    def log_in(self, name: str, password: str | None = None):
        form = {"username": name, "password": password or f"{name}-password"}
        return self.client.post("/login", data={**form, "csrf_token": self.token("/login")})

    def post(self, path: str, data: dict[str, str], page: str = "/dags"):
        return self.client.post(path, data={**data, "csrf_token": self.token(page)})


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


@pytest.fixture
def orders(store: Store) -> str:
    """A DAG of two tasks, as the parser would have saved it."""
    dag = SerializedDag(
        dag_id="orders",
        dialect="3",
        timetable=SerializedTimetable(kind="null"),
        relative_fileloc="orders.py",
        fileloc="/dags/orders.py",
        description="<script>alert(1)</script>",
        tags=["shop"],
        tasks=[
            SerializedTask(task_id="load", task_type="PythonOperator"),
            SerializedTask(task_id="store", task_type="PythonOperator", upstream_task_ids=["load"]),
        ],
    )
    store.files.save(
        ParsedFile(
            relative_path="orders.py",
            path="/dags/orders.py",
            content_hash="1",
            parsed_at=NOW,
            duration_s=0.1,
            dags=[ParsedDag("orders", encode(dag))],
            source="",
        ),
        NOW,
    )
    return "orders"
