"""Variables (semantics sections 8.4 and 8.6)."""

from __future__ import annotations

import json
import sys

import pytest
from tradewind.operators.python import PythonOperator
from tradewind.runtime.task.memory_runtime import MemoryRuntime
from tradewind.sdk import secrets_lookup, task_runtime
from tradewind.sdk.configuration import conf
from tradewind.sdk.exceptions import AirflowRuntimeError, AirflowSecretsBackendAccessDenied
from tradewind.sdk.secrets_masker import mask, masker
from tradewind.sdk.variable import Variable


@pytest.fixture(autouse=True)
def runtime(monkeypatch):
    runtime = MemoryRuntime(dag_run={}, list_states=lambda: [])
    monkeypatch.setattr(task_runtime, "current", runtime)
    yield runtime
    masker.forget_all()


class Backend:
    """A user's own secrets backend."""

    def __init__(self, values=None):
        self.values = values or {}

    def get_variable(self, key):
        if key == "broken":
            raise OSError("unreachable")
        if key == "forbidden":
            raise AirflowSecretsBackendAccessDenied("not yours")
        return self.values.get(key)

    def get_connection(self, conn_id):
        return None


@pytest.fixture
def backend(monkeypatch):
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", f"{__name__}.Backend")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", '{"values": {"k": "backend"}}')
    monkeypatch.setattr(secrets_lookup, "_built", {
        (f"{__name__}.Backend", '{"values": {"k": "backend"}}'): Backend({"k": "backend"})
    })  # fmt: skip
    conf.reset()
    yield
    monkeypatch.undo()
    conf.reset()


def test_values_are_texts_unless_json_is_asked_for(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_NUM", "5")

    assert Variable.get("num") == "5"
    assert Variable.get("num", deserialize_json=True) == 5


@pytest.mark.parametrize("arguments", [("d",), ()])
def test_a_default_is_returned_as_it_is(arguments):
    named = {} if arguments else {"default_var": "d"}

    assert Variable.get("nope", *arguments, deserialize_json=True, **named) == "d"
    assert Variable.get("nope", default=None) is None


@pytest.mark.parametrize("kind", [KeyError, AirflowRuntimeError])
def test_a_missing_variable_is_an_error_of_either_generation(kind):
    with pytest.raises(kind, match="no Variable 'nope'"):
        Variable.get("nope")


def test_text_that_is_no_json_is_an_error(runtime):
    runtime.variables["k"] = "{"

    with pytest.raises(json.JSONDecodeError):
        Variable.get("k", deserialize_json=True)


def test_the_backend_comes_before_the_environment_before_the_database(
    backend, runtime, monkeypatch
):
    runtime.variables.update(k="database", e="database", d="database")
    monkeypatch.setenv("AIRFLOW_VAR_K", "environment")
    monkeypatch.setenv("AIRFLOW_VAR_E", "environment")

    assert [Variable.get(key) for key in "ked"] == ["backend", "environment", "database"]


def test_a_backend_that_fails_is_passed_over(backend, runtime):
    runtime.variables["broken"] = "database"

    assert Variable.get("broken") == "database"


def test_a_backend_that_denies_access_is_not_passed_over(backend, runtime):
    runtime.variables["forbidden"] = "database"

    with pytest.raises(AirflowSecretsBackendAccessDenied, match="not yours"):
        Variable.get("forbidden")


def test_a_variable_is_set_updated_and_deleted(runtime):
    Variable.set("k", {"a": 1}, serialize_json=True)
    assert json.loads(runtime.variables["k"]) == {"a": 1}

    Variable.update("k", 7)
    assert Variable.get("k") == "7"

    assert (Variable.delete("k"), Variable.delete("k")) == (1, 0)
    with pytest.raises(KeyError):
        Variable.update("k", 8)


def test_setdefault_stores_only_what_is_missing():
    assert Variable.setdefault("k", [1], deserialize_json=True) == [1]
    assert Variable.setdefault("k", [2], deserialize_json=True) == [1]


def test_the_value_of_a_sensitive_variable_is_masked(runtime):
    runtime.variables.update(db_password="hunter2", plain="visible")

    Variable.get("db_password")
    Variable.get("plain")
    Variable.get("api_token", default="fallback")

    assert mask("hunter2 visible fallback") == "*** visible ***"


def test_outside_of_tasks_a_variable_cannot_be_set(monkeypatch):
    monkeypatch.setattr(task_runtime, "current", None)

    with pytest.raises(RuntimeError, match="inside tasks only"):
        Variable.set("k", 1)


def test_keys_of_stored_variables_are_listed_by_prefix(world):
    def act():
        for key in ("team_a", "team_b", "Team_c", "other"):
            Variable.set(key, "1")
        return [Variable.keys("team_"), Variable.keys()]

    PythonOperator(task_id="a", python_callable=act, dag=world.dag)

    world.run("a")

    assert world.xcoms("a")["return_value"] == [
        ["team_a", "team_b"],
        ["Team_c", "other", "team_a", "team_b"],
    ]


class CountingBackend:
    asked = 0

    def get_variable(self, key):
        CountingBackend.asked += 1
        return f"secret {key}"

    def get_connection(self, conn_id):
        return None


def test_answers_of_a_backend_are_kept_where_that_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "counting", type(sys)("counting"))
    sys.modules["counting"].Backend = CountingBackend
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "counting.Backend")
    CountingBackend.asked = 0

    assert [Variable.get("kept"), Variable.get("kept")] == ["secret kept"] * 2
    assert CountingBackend.asked == 2
    monkeypatch.setenv("AIRFLOW__SECRETS__USE_CACHE", "true")
    assert [Variable.get("kept2"), Variable.get("kept2")] == ["secret kept2"] * 2
    assert CountingBackend.asked == 3
