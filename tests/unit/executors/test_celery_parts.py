"""The parts of the Celery executor: settings, signed messages, the desk, tickets for logs."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.database.values import ClaimRequest
from tradewind.executors.base import Hint
from tradewind.executors.celery.app import BrokerAway, check_broker, make_app
from tradewind.executors.celery.message import arguments_of, is_genuine
from tradewind.executors.celery.settings import read_broker_settings, shown_url
from tradewind.runtime.supervise.hint_desk import BUSY, GONE, HELD, HintDesk, ask_runner
from tradewind.runtime.supervise.log_endpoint import LogApplication
from tradewind.sdk.configuration import reset
from tradewind.sdk.errors import ConfigurationError
from tradewind.sdk.log_tickets import make_ticket
from werkzeug.test import Client

KEY = b"k" * 32
NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)


def wall_clock_now() -> datetime:
    """Return what tickets are judged by."""
    return datetime.now(tz=UTC)  # noqa: TID251


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Set options by "section__key", in a home of the test's own."""
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))

    def choose(**options: str) -> None:
        for name, value in options.items():
            monkeypatch.setenv(f"TRADEWIND__{name.upper()}", value)
        reset()

    choose()
    yield choose
    monkeypatch.undo()
    reset()


# -- the broker


def test_a_broker_that_accepts_and_says_nothing_is_said_to_be_away(settings):
    """A half-open line, or another program's port."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings(celery__broker_url=f"redis://:secret@127.0.0.1:{port}/0")

        with pytest.raises(BrokerAway) as caught:
            check_broker(make_app(), timeout_s=0.3)

    assert f"redis://:***@127.0.0.1:{port}/0 does not answer ([celery] broker_url)" in str(
        caught.value
    )


def test_nobody_waits_for_an_answer_of_redis_for_ever(settings):
    settings(celery__broker_url="redis://127.0.0.1/0")
    assert read_broker_settings()["broker_transport_options"]["socket_timeout"] == 15.0

    settings(celery_broker_transport_options__socket_timeout="4")
    assert read_broker_settings()["broker_transport_options"]["socket_timeout"] == 4


# -- messages


def test_a_message_of_ours_is_genuine():
    assert is_genuine(KEY, arguments_of(KEY, Hint(7, 2, "default")))


@pytest.mark.parametrize(
    "arguments",
    [
        [7, 3, arguments_of(KEY, Hint(7, 2, "default"))[2]],
        [8, 2, arguments_of(KEY, Hint(7, 2, "default"))[2]],
        [7, 2, ""],
        [7, 2],
        ["7", 2, arguments_of(KEY, Hint(7, 2, "default"))[2]],
        [True, 2, "x"],
        [7, 2, arguments_of(b"other" * 8, Hint(7, 2, "default"))[2], "more"],
        arguments_of(b"other" * 8, Hint(7, 2, "default")),
        None,
    ],
)
def test_an_altered_or_forged_message_is_not(arguments):
    assert not is_genuine(KEY, arguments)


# -- settings


def test_options_of_the_transport_are_read_as_what_they_are(settings):
    settings(
        celery__broker_url="sentinel://h:26379/0",
        celery_broker_transport_options__visibility_timeout="120",
        celery_broker_transport_options__master_name="main",
        celery_broker_transport_options__sentinel_kwargs='{"password": "x"}',
    )

    options = read_broker_settings()["broker_transport_options"]

    assert options["visibility_timeout"] == 120
    assert options["master_name"] == "main"
    assert options["sentinel_kwargs"] == {"password": "x"}


def test_what_people_set_for_celery_itself_is_merged(settings):
    settings(celery__extra_celery_config='{"worker_max_tasks_per_child": 9}')

    assert read_broker_settings()["worker_max_tasks_per_child"] == 9


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"celery__broker_url": "no url"}, "[celery] broker_url"),
        ({"celery__extra_celery_config": "[1]"}, "[celery] extra_celery_config"),
        ({"celery__extra_celery_config": "{"}, "extra_celery_config"),
        ({"celery__ssl_active": "True"}, "[celery] ssl_cacert"),
        ({"celery__celery_config_options": "no.such.thing"}, "celery_config_options"),
        ({"celery__operation_timeout": "soon"}, "operation_timeout"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(settings, options, named):
    settings(**options)

    with pytest.raises(ConfigurationError, match=named.replace("[", r"\[").replace("]", r"\]")):
        read_broker_settings()


def test_a_brokers_password_is_not_shown():
    assert shown_url("redis://me:secret@h:6379/0") == "redis://me:***@h:6379/0"


# -- the desk


class Attempts:
    """A store's operations that let these ids be claimed."""

    def __init__(self, *claimable: int) -> None:
        self.claimable = set(claimable)

    def claim(self, request, now):
        found = [id_ for id_ in request.task_instance_ids if id_ in self.claimable]
        taken = found[: request.limit]
        self.claimable -= set(taken)
        return [type("Claim", (), {"task_instance_id": id_})() for id_ in taken]


class Office:
    """A desk, and forwarders that wait for its answers."""

    def __init__(self, path) -> None:
        self.path = path
        self.desk = HintDesk(path)
        self.answers: dict[int, str] = {}
        self.threads: list[threading.Thread] = []

    def ask(self, *ids: int, wait_s: float = 10.0) -> None:
        for id_ in ids:

            def run(id_: int = id_) -> None:
                self.answers[id_] = ask_runner(self.path, id_, wait_s)

            self.threads.append(threading.Thread(target=run))
            self.threads[-1].start()
        while sorted(self.desk.wanted()) != sorted(ids):
            self.desk.drain()

    def settle(self, attempts: Attempts, limit: int) -> None:
        self.desk.claim(attempts, ClaimRequest("w", "CeleryExecutor", limit), NOW)

    def end(self) -> dict[int, str]:
        for thread in self.threads:
            thread.join()
        return self.answers


@pytest.fixture
def office(tmp_path):
    made = Office(tmp_path / "run" / "worker.desk")
    yield made
    made.desk.close()


def test_a_forwarder_hears_that_the_runner_holds_the_claim_or_that_there_is_none(office):
    office.ask(1, 2)

    office.settle(Attempts(1), limit=5)

    assert office.end() == {1: HELD, 2: GONE}


def test_a_full_runner_keeps_forwarders_waiting_until_it_has_room(office):
    office.ask(1)
    office.settle(Attempts(1), limit=0)
    assert office.desk.wanted() == [1]

    office.settle(Attempts(1), limit=1)

    assert office.end() == {1: HELD}


def test_what_did_not_fit_waits_on(office):
    office.ask(1, 2)

    office.settle(Attempts(1, 2), limit=1)

    assert len(office.desk.wanted()) == 1
    office.desk.answer([1, 2], BUSY)
    assert sorted(office.end().values()) == [BUSY, HELD]


def test_a_forwarder_that_hangs_up_is_forgotten(office):
    office.ask(1, wait_s=0.2)
    assert office.end() == {1: BUSY}

    office.desk.drain()

    assert office.desk.wanted() == []


def test_without_a_runner_the_answer_is_busy(tmp_path):
    assert ask_runner(tmp_path / "nobody.desk", 1, 0.2) == BUSY


def test_what_was_queued_for_others_goes_to_who_takes_it(office):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as taker:
        taker.connect(str(office.path))
        taker.sendall(b'{"queues": ["a", "b"]}\n')
        while office.desk.queues() is None:
            office.desk.drain()

        office.desk.pass_on({"": [(1, 2, "a")], "LocalExecutor": [(3, 1, "a")]}, ["", "Celery"])

        assert json.loads(taker.recv(4096)) == {"hints": [[1, 2, "a"]]}
    assert office.desk.queues() == ("a", "b")


def test_noise_at_the_desk_hurts_nobody_else(office):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as noise:
        noise.connect(str(office.path))
        noise.sendall(b'no json\n{"ask": []}\n' + b"x" * 100_000)
        office.ask(1)

        office.settle(Attempts(1), limit=1)

        assert office.end() == {1: HELD}


# -- logs


@pytest.fixture
def logs(tmp_path, settings):
    folder = tmp_path / "logs"
    (folder / "dag_id=d").mkdir(parents=True)
    (folder / "dag_id=d" / "attempt=1.log").write_bytes(b"0123456789")
    (tmp_path / "secret").write_text("not a log")
    (folder / "link").symlink_to(tmp_path / "secret")
    client = Client(LogApplication(folder))

    def get(path: str, ticket: str | None = None, **headers: str):
        if ticket is not None:
            headers["Authorization"] = f"Bearer {ticket}"
        return client.get(f"/log/{path}", headers=headers)

    return get


LOG = "dag_id=d/attempt=1.log"


def test_a_ticket_opens_its_log_whole_or_in_part(logs):
    whole = logs(LOG, make_ticket(LOG, wall_clock_now()))
    part = logs(LOG, make_ticket(LOG, wall_clock_now()), Range="bytes=3-5")

    assert (whole.status_code, whole.data) == (200, b"0123456789")
    assert (part.status_code, part.data) == (206, b"345")


def test_without_a_ticket_or_with_one_for_another_log_nothing_is_shown(logs):
    assert logs(LOG).status_code == 403
    assert logs(LOG, make_ticket("other.log", wall_clock_now())).status_code == 403
    assert logs(LOG, "x.y.z").status_code == 403


def test_a_ticket_is_over_after_minutes(logs):
    assert logs(LOG, make_ticket(LOG, wall_clock_now() - timedelta(minutes=5))).status_code == 403


@pytest.mark.parametrize("path", ["../secret", "link", "dag_id=d", "", "/etc/passwd", "no\0log"])
def test_nothing_outside_of_the_log_folder_is_served(logs, path):
    assert logs(path, make_ticket(path, wall_clock_now())).status_code in (403, 404)
