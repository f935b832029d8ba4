"""What the pages show, and what their forms do."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.database.values import NewRun, ParsedFile
from tradewind.sdk import configuration
from tradewind.webserver.durations import duration_text

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)


@pytest.fixture
def admin(browser):
    browser.log_in("ada")
    return browser


def test_the_list_shows_each_dag_with_hostile_text_as_text(admin, client, orders) -> None:
    page = client.get("/dags").text

    assert "orders" in page
    assert "shop" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_an_empty_list_says_where_to_put_a_file(admin, client) -> None:
    assert "Put a DAG file into" in client.get("/dags").text


def test_a_search_without_a_match_says_so(admin, client, orders) -> None:
    assert "Nothing matches" in client.get("/dags?search=zzz").text


@pytest.mark.parametrize("offset", ["-1", "x", "100000000000000000000"])
def test_a_senseless_offset_is_no_server_error(admin, client, offset) -> None:
    assert client.get(f"/dags?offset={offset}").status_code < 500


def test_the_switch_unpauses_and_pauses(admin, store, orders) -> None:
    for is_paused in (False, True):
        answer = admin.post(f"/dags/{orders}/paused", {"is_paused": str(is_paused).lower()})

        assert answer.status_code == 302
        assert store.dags.get(orders).is_paused is is_paused


def test_triggering_makes_a_run_with_its_conf_in_the_name_of_the_user(
    admin, client, store, orders
) -> None:
    answer = admin.post(f"/dags/{orders}/trigger", {"conf": '{"a": 1}', "run_id": "mine"})

    assert answer.location == f"/dags/{orders}/runs/mine"
    run = store.runs.get(orders, "mine")
    assert (run.conf, run.triggering_user) == ({"a": 1}, "ada")
    assert "mine" in client.get(answer.location).text


@pytest.mark.parametrize("conf", ["{", "[1]", "7"])
def test_a_wrong_conf_is_refused_and_what_was_typed_is_kept(admin, store, orders, conf) -> None:
    answer = admin.post(f"/dags/{orders}/trigger", {"conf": conf, "run_id": "mine"})

    assert answer.status_code == 400
    assert conf in answer.text
    assert store.runs.list(orders) == []


def test_a_run_shows_its_task_instances_in_the_order_of_the_graph(
    admin, client, store, orders
) -> None:
    admin.post(f"/dags/{orders}/trigger", {"conf": "", "run_id": "mine"})

    page = client.get(f"/dags/{orders}/runs/mine").text

    assert 0 < page.index("tasks/load") < page.index("tasks/store")


def test_a_task_instance_says_why_it_waits(admin, client, store, orders) -> None:
    admin.post(f"/dags/{orders}/trigger", {"conf": "", "run_id": "mine"})

    page = client.get(f"/dags/{orders}/runs/mine/tasks/store").text

    assert "Why it waits" in page
    assert "paused" in page


@pytest.mark.parametrize(
    "path", ["/dags/nope", "/dags/nope/runs/x", "/dags/nope/trigger", "/dags/nope/runs/x/tasks/y"]
)
def test_what_does_not_exist_answers_404_and_names_it(admin, client, path) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert "nope" in answer.text


def test_import_errors_and_files_without_a_dag_are_listed(admin, client, store) -> None:
    for name, error, reason in (
        ("bad.py", "SyntaxError: <b>", None),
        ("empty.py", None, "no DAG object at module level"),
    ):
        store.files.save(
            ParsedFile(
                relative_path=name,
                path=f"/dags/{name}",
                content_hash="1",
                parsed_at=NOW,
                duration_s=0.1,
                error=error,
                no_dag_reason=reason,
            ),
            NOW,
        )

    page = client.get("/import_errors").text

    assert "SyntaxError: &lt;b&gt;" in page
    assert "no DAG object at module level" in page


@pytest.mark.parametrize("path", ["/health", "/api/v1/health", "/api/v2/monitor/health"])
def test_health_tells_never_started_healthy_and_unhealthy_apart(client, store, clock, path) -> None:
    assert client.get(path).json["scheduler"] == {
        "status": None,
        "latest_scheduler_heartbeat": None,
    }
    store.processes.beat("scheduler", "one", "here", 1, clock.now())
    assert client.get(path).json["scheduler"]["status"] == "healthy"
    clock.advance(seconds=31)
    answer = client.get(path)
    assert (answer.status_code, answer.json["scheduler"]["status"]) == (200, "unhealthy")


def test_a_load_balancer_may_ask_strictly(client, store, clock) -> None:
    store.processes.beat("scheduler", "one", "here", 1, clock.now())
    assert client.get("/health?strict=1").status_code == 200
    clock.advance(seconds=31)
    assert client.get("/health?strict=1").status_code == 503


def test_every_answer_carries_the_guards(client) -> None:
    headers = client.get("/login").headers

    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_lengths_of_time_read_well() -> None:
    lengths = [0.42, 18, 185, 7800, 200000]

    assert [duration_text(timedelta(seconds=s).total_seconds()) for s in lengths] == [
        "0.42 s", "18 s", "3 min 5 s", "2 h 10 min", "2 d 7 h",
    ]  # fmt: skip


def test_runs_are_paged_by_cursor_so_that_new_ones_move_nothing(admin, client, store, orders):
    def add(numbers):
        for n in numbers:
            at = NOW + timedelta(minutes=n)
            store.runs.create(NewRun(orders, f"run_{n:03}", run_type="manual", run_after=at), NOW)

    def seen(page):
        return re.findall(r'title="(run_\d+)"', page)

    def follow(page, word):
        (link,) = re.findall(rf'href="([^"]+)">{word}</a>', page)
        return client.get(html.unescape(link)).text

    add(range(120))
    first = client.get("/runs").text
    second = follow(first, "Older")
    add(range(120, 130))
    third = follow(second, "Older")

    assert [len(seen(page)) for page in (first, second, third)] == [50, 50, 20]
    assert seen(second)[0] == "run_069"
    assert seen(third)[-1] == "run_000"
    assert seen(follow(third, "Newer")) == seen(second)
    assert seen(follow(third, "Newest"))[0] == "run_129"
    assert client.get("/runs?cursor=nonsense").status_code == 400


def test_paused_dags_can_be_hidden_until_somebody_asks_for_all(
    browser, client, store, orders, monkeypatch
) -> None:
    browser.log_in("ada")
    store.dags.set_paused(orders, True, NOW, "user:test")
    assert f"/dags/{orders}" in client.get("/dags").text

    monkeypatch.setenv("AIRFLOW__WEBSERVER__HIDE_PAUSED_DAGS_BY_DEFAULT", "True")
    configuration.reset()

    assert f"/dags/{orders}" not in client.get("/dags").text
    assert f"/dags/{orders}" in client.get("/dags?state=all").text


@pytest.mark.parametrize(
    ("named", "shown"), [("Asia/Kathmandu", "17:45"), ("Mars/Olympus", "12:00"), ("", "12:00")]
)
def test_instants_are_in_the_zone_of_the_setting_until_a_reader_chooses(
    browser, client, store, clock, monkeypatch, named, shown
) -> None:
    monkeypatch.setenv("AIRFLOW__WEBSERVER__DEFAULT_UI_TIMEZONE", named)
    configuration.reset()
    browser.log_in("ada")
    store.processes.beat("scheduler", "one", "here", 1, clock.now())

    assert shown in client.get("/jobs").text
