"""``plugins`` and ``providers``: what is installed, and what is broken."""

import json
import sys

import pytest
from tradewind.cli.main import run
from tradewind.sdk import plugins, providers_manager

PLUGIN = """
from airflow.plugins_manager import AirflowPlugin

class Team(AirflowPlugin):
    name = "team"
    macros = [len]
    flask_blueprints = [object()]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setenv("TRADEWIND__CORE__PLUGINS_FOLDER", str(tmp_path / "plugins"))
    (tmp_path / "plugins").mkdir()
    plugins.forget_plugins()
    yield tmp_path / "plugins"
    plugins.forget_plugins()
    sys.modules.pop("team_of_cli", None)


def test_without_plugins_that_is_said(folder, capsys):
    assert run(["plugins"]) == 0
    assert capsys.readouterr().out.strip() == "No plugins loaded"


def test_what_plugins_bring_is_listed_with_what_is_not_served(folder, capsys):
    (folder / "team_of_cli.py").write_text(PLUGIN)

    assert run(["plugins", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "team",
            "source": "team_of_cli.py",
            "brings": ["macros (1)"],
            "not_served": ["flask_blueprints (1)"],
        }
    ]


def test_a_broken_plugin_is_one_line_and_exit_code_1(folder, capsys):
    (folder / "broken_of_cli.py").write_text("1 / 0")

    assert run(["plugins"]) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("broken_of_cli.py: ZeroDivisionError: division by zero")
    assert "\n" not in error


@pytest.fixture
def acme(tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "acme-1.5.dist-info").mkdir(parents=True)
    (site / "acme-1.5.dist-info" / "METADATA").write_text("Name: acme\nVersion: 1.5\n")
    (site / "acme-1.5.dist-info" / "entry_points.txt").write_text(
        "[apache_airflow_provider]\nprovider_info = acme_provider_info:about\n"
    )
    about = {
        "package-name": "acme",
        "description": "`Acme <https://acme.example>`__ things.\n",
        "connection-types": [{"connection-type": "acme", "hook-class-name": "acme.Hook"}],
        "notifications": ["acme.Notifier"],
        "config": {"acme": {"options": {"speed": {"default": "{{fast}}"}}}},
    }
    (site / "acme_provider_info.py").write_text(f"def about():\n    return {about!r}\n")
    monkeypatch.syspath_prepend(str(site))
    cached = (
        providers_manager.providers,
        providers_manager.hooks,
        providers_manager.decorators,
        providers_manager.default_settings,
    )
    for one in cached:
        one.cache_clear()
    yield
    for one in cached:
        one.cache_clear()
    sys.modules.pop("acme_provider_info", None)


def listed(capsys, *line):
    assert run(["providers", *line, "-o", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_providers_and_what_they_bring_are_listed(acme, folder, capsys):
    [provider] = [one for one in listed(capsys, "list") if one["package_name"] == "acme"]
    hooks = {one["connection_type"]: one["class"] for one in listed(capsys, "hooks")}
    notifiers = [one["notification_class_name"] for one in listed(capsys, "notifications")]

    assert provider == {"package_name": "acme", "description": "Acme things.", "version": "1.5"}
    assert hooks["acme"] == "acme.Hook"
    assert "acme.Notifier" in notifiers


def test_a_provider_that_is_not_there_is_refused(folder, capsys):
    assert run(["providers", "get", "nonsense"]) == 1
    assert capsys.readouterr().err.strip() == "No such provider installed: nonsense"


def test_settings_of_a_provider_have_its_defaults(acme, monkeypatch):
    from tradewind.sdk.configuration import conf

    assert conf.get("acme", "speed") == "{fast}"
    assert conf.get("acme", "other", fallback="x") == "x"
    monkeypatch.setenv("AIRFLOW__ACME__SPEED", "slow")
    assert conf.get("acme", "speed") == "slow"
