"""Bad input of the Celery commands: one clear line that names the setting, and no traceback."""

from __future__ import annotations

import socket
import sys

import pytest
from tradewind.cli.main import run
from tradewind.database.migrate import migrate
from tradewind.sdk.configuration import reset


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run a command in this process with these settings; return exit code and standard error."""
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))

    def call_with(*words: str, **settings: str) -> tuple[int, str]:
        for name, value in {"core__executor": "CeleryExecutor", **settings}.items():
            monkeypatch.setenv(f"TRADEWIND__{name.upper()}", value)
        reset()
        migrate()
        capsys.readouterr()
        code = run(list(words))
        return code, capsys.readouterr().err

    yield call_with
    monkeypatch.undo()
    reset()


AWAY = "redis://:secret@127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"celery__broker_url": AWAY}, "does not answer ([celery] broker_url)"),
        ({"celery__broker_url": "redis"}, "[celery] broker_url is not a URL"),
        ({"celery__broker_url": "nosuch://h/0"}, "[celery] broker_url names nosuch://h/0"),
        ({"core__executor": "LocalExecutor"}, "[core] executor is LocalExecutor"),
        ({"core__executor": "CeleryExecutor,no.such.Executor"}, "no.such.Executor"),
        ({"core__executor": "CeleryExecutor,json.JSONDecoder"}, "is no tradewind.executors"),
        ({"logging__base_log_folder": "/proc/logs"}, "[logging] base_log_folder"),
        ({"celery__worker_autoscale": "many"}, "[celery] worker_autoscale is not MAX,MIN"),
    ],
)
def test_a_worker_that_could_not_work_is_refused_in_one_line(call, settings, said):
    settings.setdefault("logging__worker_log_server_port", "0")

    code, error = call("celery", "worker", **settings)

    assert code == 1
    assert said in error
    assert len(error.strip().splitlines()) == 1
    assert "secret" not in error


@pytest.mark.parametrize("service", ["scheduler", "standalone", "dag-processor", "triggerer"])
def test_no_service_starts_where_it_cannot_write_logs(call, tmp_path, service):
    taken = tmp_path / "a file"
    taken.write_text("")

    code, error = call(service, core__executor="LocalExecutor", logging__base_log_folder=str(taken))

    assert code == 1
    assert error.strip() == (
        f"Logs cannot be written to {taken} ([logging] base_log_folder): it is no folder"
    )


def test_a_port_for_logs_that_is_taken_is_named(call):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])

        code, error = call(
            *("celery", "worker"),
            logging__worker_log_server_host="127.0.0.1",
            logging__worker_log_server_port=port,
        )

    assert code == 1
    assert "[logging] worker_log_server_port" in error


@pytest.mark.parametrize("command", ["worker", "flower", "list-workers"])
def test_without_celery_the_missing_package_is_named(call, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "celery", None)

    code, error = call("celery", command)

    assert code == 1
    assert "pip install 'tradewind[celery]'" in error


def test_to_stop_a_worker_that_does_not_run_is_refused(call):
    code, error = call("celery", "stop")

    assert code == 1
    assert "No worker runs by the pid file" in error


def test_the_scheduler_refuses_a_broker_url_that_is_none(call):
    code, error = call("scheduler", "-n", "1", celery__broker_url="no url")

    assert code == 1
    assert "[celery] broker_url is not a URL" in error
