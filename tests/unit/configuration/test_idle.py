"""Each known option is read somewhere, or is listed with the reason why it changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import tradewind
from tradewind.cli.main import run
from tradewind.sdk import configuration
from tradewind.sdk.configuration_defaults import DEFAULTS
from tradewind.sdk.configuration_idle import IDLE

ROOT = Path(tradewind.__path__[0])
FOLDERS = ["airflow", "cli", "control", "database", "executors", "operators", "planning"]
FOLDERS += ["runtime", "scheduler", "sdk", "webserver"]
TABLES = {"configuration_defaults.py", "configuration_names.py", "configuration_idle.py"}
#: Read by names that are put together.
COMPOSED = re.compile(r"proxy_fix_x_\w+")


def _words() -> Iterator[str]:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            if path.name not in TABLES:
                yield from re.findall(r"""["'](\w+)["']""", path.read_text(encoding="utf-8"))


def test_every_option_is_read_or_listed_as_idle():
    words = set(_words())

    unread = {
        (section, key)
        for section, options in DEFAULTS.items()
        for key in options
        if key not in words and not COMPOSED.fullmatch(key)
    }

    assert unread - set(IDLE) == set()


def test_idle_options_are_known_and_documented():
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert [name for name in IDLE if name[1] not in DEFAULTS.get(name[0], {})] == []
    assert [name for name in IDLE if f"`{name[1]}`" not in page] == []


def test_lint_names_idle_options_that_are_set(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__SCHEDULER__NUM_RUNS", "5")
    configuration.reset()

    assert run(["config", "lint"]) == 0

    assert capsys.readouterr().out == "[scheduler] num_runs changes nothing here: say --num-runs\n"


def test_lint_looks_only_where_it_is_asked_to(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__CORE__SPEED", "9")
    monkeypatch.setenv("AIRFLOW__WEBSERVER__WORKERS", "2")
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "many")
    configuration.reset()

    def lint(*options: str) -> list[str]:
        assert run(["config", "lint", *options]) == 0
        return capsys.readouterr().out.splitlines()

    speed = "[core] speed is not known and changes nothing"
    workers = "[webserver] workers is now [api] workers; the old name works"
    assert lint()[:2] == [speed, workers]
    assert lint("--section", "webserver") == [workers]
    assert lint("--section", "core", "--ignore-option", "parallelism") == [speed]
    assert "'many'" in lint("--option", "parallelism")[0]
    assert lint("--option", "executor") == ["No issues found in your settings."]
