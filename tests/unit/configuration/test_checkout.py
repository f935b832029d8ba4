"""Where DAG files are looked for when Tradewind is started in a checkout of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tradewind.scheduler.parse_settings import load_parse_settings
from tradewind.sdk.configuration import Configuration, dags_folder, reset

PROJECT = '[build-system]\nrequires = []\n\n[project]\nname = "tradewind"\n'


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is not the package in use, as after ``pip install .``."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    for name in ("TRADEWIND_HOME", "AIRFLOW_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    reset()
    return tmp_path


def test_started_in_a_checkout_the_dags_folder_is_the_checkouts(checkout):
    assert dags_folder() == checkout / "dags"


def test_a_checkouts_examples_are_not_shown_a_second_time(checkout):
    roots = load_parse_settings(Configuration()).roots

    assert [root.folder for root in roots] == [checkout / "dags"]


def test_a_project_of_the_users_that_has_a_dags_folder_is_no_checkout(checkout):
    (checkout / "pyproject.toml").write_text('[project]\nname = "sales"\n')

    assert dags_folder() == checkout / "user" / "tradewind" / "dags"


def test_a_named_home_goes_before_the_checkout(checkout, monkeypatch, tmp_path):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path / "home"))

    assert dags_folder() == tmp_path / "home" / "dags"
