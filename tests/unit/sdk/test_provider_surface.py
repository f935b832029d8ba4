"""What DAG files and provider packages import from ``airflow.utils`` and its neighbours."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from datetime import UTC, datetime
from types import ModuleType
from typing import ClassVar

import pytest
from tradewind.sdk import metadata_session, secrets_lookup, settings_values, task_runtime, timezone
from tradewind.sdk import provider_functions as functions
from tradewind.sdk.base_hook import BaseHook
from tradewind.sdk.context_variables import context_to_airflow_vars
from tradewind.sdk.exceptions import (
    AirflowException,
    AirflowNotFoundException,
    AirflowRuntimeError,
    AirflowTaskTimeout,
    DagRunAlreadyExists,
    InvalidUseError,
)
from tradewind.sdk.logging_mixin import LoggingMixin, remove_escape_codes
from tradewind.sdk.module_loading import is_valid_dotpath, iter_namespace, qualname
from tradewind.sdk.not_set import NOTSET
from tradewind.sdk.plugin import AirflowPlugin
from tradewind.sdk.relative_dates import cron_presets, days_ago
from tradewind.sdk.secrets_backend import BaseSecretsBackend
from tradewind.sdk.state_names import State
from tradewind.sdk.states import TaskInstanceState
from tradewind.sdk.subprocess_hook import SubprocessHook
from tradewind.sdk.timetables.cron_ticks import CronTicks
from tradewind.sdk.trigger_dag import trigger_dag

NOW = datetime(2024, 3, 5, 10, 30, 15, tzinfo=UTC)


# --- dates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"n": 0}, "2024-03-05T00:00:00+00:00"),
        ({"n": 5}, "2024-02-29T00:00:00+00:00"),
        ({"n": 1, "hour": 7, "minute": 5}, "2024-03-04T07:05:00+00:00"),
        ({"n": -1, "second": 3}, "2024-03-06T00:00:03+00:00"),
    ],
)
def test_days_ago_counts_from_midnight_utc(arguments, expected):
    with timezone.frozen(NOW):
        assert days_ago(**arguments).isoformat() == expected


def test_every_cron_preset_is_a_cron_expression():
    for preset, expression in cron_presets.items():
        assert CronTicks(preset, UTC).next(NOW) == CronTicks(expression, UTC).next(NOW)


# --- the metadata database -------------------------------------------------------------------


@metadata_session.provide_session
def count_rows(table: str, session: object = metadata_session.NEW_SESSION) -> str:
    return f"{table} {session}"


def test_a_session_is_refused_when_it_is_used_with_one_clear_line():
    uses = [
        metadata_session.Session,
        lambda: metadata_session.Session.query("x"),
        lambda: metadata_session.engine.connect(),
        lambda: metadata_session.create_session().__enter__(),
        lambda: count_rows("x"),
        lambda: count_rows("x", session=None),
        lambda: metadata_session.out_of_reach.__enter__(),
    ]
    for use in uses:
        with pytest.raises(AirflowRuntimeError, match="out of their reach by design") as caught:
            use()
        assert "\n" not in str(caught.value)


def test_a_function_runs_with_a_session_that_its_caller_brings():
    assert count_rows("x", session="mine") == "x mine"
    assert count_rows("x", "mine") == "x mine"
    assert count_rows.__name__ == "count_rows"


def test_a_function_without_a_place_for_the_session_is_refused_at_once():
    with pytest.raises(ValueError, match="no `session` argument"):
        metadata_session.provide_session(lambda table: None)


# --- hooks and loggers -----------------------------------------------------------------------


class Warehouse(BaseHook):
    """A user's hook."""


def test_a_hook_finds_connections_in_the_environment(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgres://me:secret@db:5432/sales")

    connection = Warehouse.get_connection("warehouse")

    assert (connection.host, connection.login, connection.schema) == ("db", "me", "sales")
    assert [found.port for found in Warehouse.get_connections("warehouse")] == [5432]
    assert asyncio.run(Warehouse.aget_connection("warehouse")) == connection


def test_a_hook_says_which_connection_is_missing():
    with pytest.raises(AirflowNotFoundException, match="nowhere"):
        Warehouse.get_connection("nowhere")
    with pytest.raises(NotImplementedError):
        Warehouse().get_conn()


def test_a_logger_carries_the_path_of_the_class():
    name = f"airflow.task.hooks.{Warehouse.__module__}.Warehouse"

    assert Warehouse().log is logging.getLogger(name)
    assert Warehouse("mine").log.name == "airflow.task.hooks.mine"
    assert LoggingMixin().log is LoggingMixin().log


def test_colours_are_taken_out_of_a_text():
    assert remove_escape_codes("\x1b[1;31mred\x1b[0m") == "red"


class Vault(BaseSecretsBackend):
    """A user's secrets backend, written as Airflow's documentation shows it."""

    def get_conn_value(self, conn_id):
        return '{"conn_type": "http", "host": "vault"}' if conn_id == "site" else None

    def get_variable(self, key):
        return "from the vault" if key == self.build_path("team", "colour") else None


class OldVault(BaseSecretsBackend):
    """One of Airflow before 2.3."""

    def get_conn_uri(self, conn_id):
        return "http://old-vault"


def test_a_secrets_backend_answers_connections_and_variables(monkeypatch):
    secrets_lookup.ask_first(Vault())
    try:
        assert Warehouse.get_connection("site").host == "vault"
        assert secrets_lookup.find_variable("team/colour") == "from the vault"
        with pytest.raises(AirflowNotFoundException):
            Warehouse.get_connection("nowhere")
    finally:
        secrets_lookup.stop_asking(secrets_lookup._first[0])

    assert OldVault().get_connection("site").host == "old-vault"
    assert OldVault().get_config("x") is None


def test_a_command_is_run_and_its_last_line_returned(tmp_path, caplog):
    hook = SubprocessHook()

    with caplog.at_level(logging.INFO):
        result = hook.run_command(
            ["bash", "-c", "echo first; echo $TW_WORD >&2; pwd; exit 3"],
            env={"TW_WORD": "second", "PATH": os.environ["PATH"]},
            cwd=str(tmp_path),
        )

    assert result == (3, str(tmp_path))
    assert [line for line in ("first", "second") if line in caplog.messages] == ["first", "second"]


def test_a_command_that_has_ended_is_not_stopped():
    hook = SubprocessHook()
    hook.send_sigterm()

    assert hook.run_command(["true"]) == (0, "")
    hook.send_sigterm()


class Runs:
    """A runtime that keeps what it is asked to trigger."""

    def __init__(self, answer: dict[str, object]) -> None:
        self.answer = answer
        self.asked: dict[str, object] = {}

    def trigger_dag_run(self, **asked: object) -> dict[str, object]:
        self.asked = asked
        return self.answer

    def get_dag_run(self, *, dag_id: str, run_id: str) -> dict[str, object]:
        return {"state": "queued", "conf": self.asked["conf"]}


def test_a_dag_is_triggered_with_the_arguments_of_each_generation(monkeypatch):
    runs = Runs({"run_id": "manual__x", "created": True, "error": ""})
    monkeypatch.setattr(task_runtime, "current", runs)

    run = trigger_dag("other", conf='{"a": 1}', execution_date=NOW.replace(microsecond=7))

    assert runs.asked["logical_date"] == NOW
    assert (run.dag_id, run.run_id, run.conf) == ("other", "manual__x", {"a": 1})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"run_id": "x", "error": "exists"}, DagRunAlreadyExists),
        ({"error": "there is no DAG 'other'"}, AirflowException),
    ],
)
def test_a_dag_that_cannot_be_triggered_says_why(monkeypatch, answer, error):
    monkeypatch.setattr(task_runtime, "current", Runs(answer))

    with pytest.raises(error, match="other"):
        trigger_dag("other")


def test_a_dag_is_triggered_from_a_task_only(monkeypatch):
    monkeypatch.setattr(task_runtime, "current", None)

    with pytest.raises(InvalidUseError):
        trigger_dag("other")


def test_the_identity_of_a_task_is_told_as_variables():
    class Task:
        owner = "me"
        email: ClassVar[list[str]] = ["a@b.c", "d@e.f"]

    class Instance:
        task, dag_id, task_id, try_number, run_id = Task(), "sales", "load", 2, "manual__x"
        logical_date = NOW

    spoken = context_to_airflow_vars({"ti": Instance()})

    assert spoken["airflow.ctx.dag_id"] == "sales"
    assert spoken["airflow.ctx.dag_email"] == "a@b.c,d@e.f"
    assert spoken["airflow.ctx.execution_date"] == spoken["airflow.ctx.logical_date"]
    assert context_to_airflow_vars({"ti": Instance()}, in_env_var_format=True) == {
        name.replace(".", "_").upper(): value for name, value in spoken.items()
    }
    assert context_to_airflow_vars({}) == {}


def test_a_plugin_needs_a_name():
    class Nameless(AirflowPlugin):
        timetables = (object,)

    with pytest.raises(ValueError, match="name"):
        Nameless.validate()


# --- modules ---------------------------------------------------------------------------------


def test_objects_are_named_by_their_path():
    assert qualname(qualname) == "tradewind.sdk.module_loading.qualname"
    assert qualname(Warehouse()) == f"{__name__}.Warehouse"
    assert qualname(Warehouse.get_conn) == "tradewind.sdk.base_hook.get_conn"
    assert qualname(Warehouse.get_conn, use_qualname=True).endswith("BaseHook.get_conn")
    assert qualname(5) == "int"


def test_a_package_lists_its_modules():
    import tradewind.sdk.timetables

    assert "tradewind.sdk.timetables.simple" in set(iter_namespace(tradewind.sdk.timetables))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a.b", True), ("a.b.C", True), ("a", False), ("a..b", False), ("a.b-c", False), ("", False)],
)
def test_an_import_path_is_told_from_other_texts(text, expected):
    assert is_valid_dotpath(text) is expected


def test_old_module_paths_can_be_kept_by_a_package():
    functions.add_deprecated_classes({"old": {"Thing": "collections.Counter"}}, "some_package")

    module = sys.modules.pop("some_package.old")

    assert isinstance(module, ModuleType)
    assert module.Thing.__name__ == "Counter"
    with pytest.raises(AttributeError, match="Other"):
        getattr(module, "Other")  # noqa: B009 - the look-up is what is tested


# --- small functions -------------------------------------------------------------------------


def test_collections_are_cut_merged_and_sorted_out():
    assert list(functions.chunks([1, 2, 3], 2)) == [[1, 2], [3]]
    assert functions.merge_dicts({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}, "d": {}}) == {
        "a": {"b": 4, "c": 2},
        "d": {},
    }
    assert functions.as_flattened_list([[1], [2, 3]]) == [1, 2, 3]
    odd, even = functions.partition(lambda number: number % 2 == 0, range(4))
    assert (list(odd), list(even)) == ([1, 3], [0, 2])
    with pytest.raises(ValueError, match="positive"):
        list(functions.chunks([1], 0))


def test_empty_values_are_pruned_at_any_depth():
    value = {"a": None, "b": {"c": None, "d": 0}, "e": [None, 1, {"f": None}], "g": ""}

    assert functions.prune_dict(value) == {"b": {"d": 0}, "e": [1, {}], "g": ""}
    assert functions.prune_dict(value, "truthy") == {"e": [1, {}]}
    with pytest.raises(ValueError, match="mode"):
        functions.prune_dict(value, "loose")


def test_one_of_several_arguments_is_told():
    assert functions.exactly_one(None, 0, "x")
    assert not functions.exactly_one("x", "y")
    assert not functions.exactly_one(None)
    assert functions.at_most_one(NOTSET, None, "x")
    assert not functions.at_most_one("x", 1)
    with pytest.raises(ValueError, match="unpack"):
        functions.exactly_one([True, False])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("SomeName", "some_name"), ("S3Hook", "s3_hook"), ("HTTPServer", "http_server")],
)
def test_class_names_become_module_names(name, expected):
    assert functions.convert_camel_to_snake(name) == expected


def test_texts_say_yes_or_no():
    assert [functions.to_boolean(text) for text in ("Yes", "1", "on", "no", "", None)] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert functions.is_container([])
    assert not functions.is_container("text")
    assert len(functions.get_random_string(12)) == 12
    assert functions.md5(b"x").hexdigest() == "9dd4e461268c8034f5c8564e155c67a6"
    assert functions.getuser()


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("TW_KEPT", "before")
    monkeypatch.delenv("TW_NEW", raising=False)

    def look_and_fail() -> None:
        with functions.patch_environ({"TW_KEPT": "during", "TW_NEW": "during"}):
            assert (os.environ["TW_KEPT"], os.environ["TW_NEW"]) == ("during", "during")
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        look_and_fail()

    assert os.environ["TW_KEPT"] == "before"
    assert "TW_NEW" not in os.environ


def test_a_block_is_ended_after_its_time_even_where_it_catches_exceptions():
    started = time.monotonic()

    def run_for_ever() -> None:
        with functions.timeout(0.05, "too slow"):
            while True:
                try:
                    time.monotonic()
                except Exception:  # noqa: BLE001 - as user code does
                    continue

    with pytest.raises(AirflowTaskTimeout, match="too slow"):
        run_for_ever()

    assert time.monotonic() - started < 2


# --- settings and states ---------------------------------------------------------------------


def test_settings_are_read_when_they_are_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(tmp_path / "mine"))
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TIMEZONE", "Europe/Paris")

    assert str(tmp_path) == settings_values.AIRFLOW_HOME
    assert str(tmp_path / "mine") == settings_values.DAGS_FOLDER
    assert settings_values.TIMEZONE.name == "Europe/Paris"
    assert settings_values.get("core", "default_timezone") == "Europe/Paris"
    with pytest.raises(AttributeError):
        getattr(settings_values, "NO_SUCH_SETTING")  # noqa: B009 - as above


def test_every_state_has_its_constant_and_none_is_none():
    assert State.NONE is None
    for state in TaskInstanceState:
        if state is not TaskInstanceState.NONE:
            assert getattr(State, state.name) is state
    assert set(State.task_states) == State.finished | State.unfinished
    assert not State.finished & State.unfinished
