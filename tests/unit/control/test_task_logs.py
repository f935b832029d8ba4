"""One log for a try, wherever its parts lie."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tradewind.control.log_sources import JoinedLog
from tradewind.control.task_logs import find_log
from tradewind.database.rows import AttemptRow
from tradewind.database.values import WorkerIdentity

LOG_PATH = "dag_id=d/attempt=1.log"


class Site:
    """A machine that serves one log, by ranges, as a worker does."""

    def __init__(self, text: str) -> None:
        data = text.encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._send(b"", len(data))

            def do_GET(self) -> None:
                first, last = self.headers["Range"].removeprefix("bytes=").split("-")
                part = data[int(first) : int(last) + 1]
                self._send(part, len(part))

            def _send(self, body: bytes, length: int) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def sites() -> Iterator[dict[str, Site]]:
    made = {"one": Site("begun here\n"), "two": Site("gone on there\nTask ended\n")}
    yield made
    for site in made.values():
        site.server.shutdown()
        site.server.server_close()


@pytest.fixture
def handed(services, clock, sites, tmp_path, monkeypatch):
    """Make the attempts of a try that these workers had, one after the other."""
    monkeypatch.setenv("TRADEWIND__LOGGING__BASE_LOG_FOLDER", str(tmp_path))

    def hand(*names: str, host: str = "") -> list[AttemptRow]:
        for name in dict.fromkeys(names):
            services.store.workers.register(
                WorkerIdentity(
                    *(name, host or name, "boot", 1, 1.0, "CeleryExecutor"),
                    log_url=sites[name].url,
                ),
                clock.now(),
            )
        return [
            AttemptRow(
                *(1, epoch, f"claim {epoch}", 1, "deferred", name, clock.now(), None, None),
                *(None, None, "", host or name, 1, LOG_PATH, None, 1),
            )
            for epoch, name in enumerate(names, 1)
        ]

    return hand


def text_of(services, attempts: list[AttemptRow]) -> str:
    found = find_log(services.store, attempts, 1)
    assert found is not None
    with found.open("rb") as stream:
        return stream.read().decode()


def test_a_try_that_two_workers_had_has_one_log_in_their_order(services, handed):
    whole = text_of(services, handed("one", "two"))

    assert whole == "begun here\ngone on there\nTask ended\n"


def test_a_worker_that_had_it_twice_is_shown_once(services, handed):
    assert text_of(services, handed("one", "one")) == "begun here\n"


def test_a_worker_that_is_gone_says_so_in_its_place(services, handed, sites):
    attempts = handed("one", "two")
    sites["one"].server.shutdown()
    sites["one"].server.server_close()

    first, *rest = text_of(services, attempts).splitlines()

    assert first.startswith(f"The log is at {sites['one'].url} and cannot be read there: ")
    assert rest == ["gone on there", "Task ended"]


def test_the_successor_of_a_dead_worker_shows_the_file_of_both(services, handed, clock):
    attempts = handed("one", "two", host="same")
    services.store.workers.stop("one", clock.now() + timedelta(seconds=1), "stopped")

    assert text_of(services, attempts) == "gone on there\nTask ended\n"


def test_a_file_on_this_machine_is_whole(services, handed, tmp_path):
    path = tmp_path / LOG_PATH
    path.parent.mkdir()
    path.write_text("all of it\n")

    assert text_of(services, handed("one", "two")) == "all of it\n"


def test_parts_are_read_from_any_place(tmp_path: Path):
    paths = [tmp_path / str(number) for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(b"%d" % number * (number + 2))

    with JoinedLog(paths).open("rb") as stream:
        whole = stream.read()
        ends = []
        for start in range(len(whole) + 1):
            stream.seek(start)
            ends.append(stream.read())

    assert whole == b"001112222"
    assert ends == [whole[start:] for start in range(len(whole) + 1)]
