"""Params of every kind, where a run is triggered on a page, by both versions of the API and by a
command: the same values are taken, the same are refused, and the refusal names the param.
"""

from __future__ import annotations

import base64
import json

import pytest
from tradewind.cli.main import run
from tradewind.database.migrate import migrate
from tradewind.database.store import open_store
from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.sdk.dag import DAG
from tradewind.sdk.param import Param
from tradewind.sdk.serialize_dag import serialize
from tradewind.sdk.serialized import encode

from .conftest import NOW

#: name → param, what is typed into its input, the value of that, and values that are refused.
KINDS = {
    "text": (Param("a", type="string", minLength=1, maxLength=3), "bc", "bc", ["abcd", 5, None]),
    "pattern": (Param("a1", type="string", pattern="^[a-z][0-9]$"), "b2", "b2", ["12", ""]),
    "whole": (Param(5, type="integer", minimum=1, maximum=9), "7", 7, [0, 10, 1.5, "7", True]),
    "number": (Param(1.5, type="number", exclusiveMinimum=0), "2.25", 2.25, [0, "x"]),
    "yes": (Param(False, type="boolean"), "on", True, ["yes", 1]),
    "choice": (Param("eu", enum=["eu", "us", 7]), "7", 7, ["asia", "7"]),
    "maybe": (Param(None, type=["null", "string"]), "x", "x", [5, []]),
    "day": (Param("2024-01-01", type="string", format="date"), "2024-02-29", "2024-02-29",
            ["2024-02-30", "soon"]),
    "at": (Param("12:00:00", type="string", format="time"), "13:45", "13:45:00", ["25:00:00"]),
    "list": (Param(["a"], type="array", items={"type": "string"}, maxItems=2), "b\nc", ["b", "c"],
             [["a", "b", "c"], [1], "a"]),
    "numbers": (Param([1], type="array", items={"type": "number"}, uniqueItems=True), "[1, 2]",
                [1, 2], [["x"], [1, 1]]),
    "object": (
        Param({"a": 1}, type="object", required=["a"], additionalProperties={"type": "integer"}),
        '{"a": 2}', {"a": 2}, [{"b": 1}, {"a": "x"}, []],
    ),
    "plain": (3, "4", 4, []),
    "must": (Param(type="string", description="no default"), "given", "given", [7]),
}  # fmt: skip
WRONG = [(name, value) for name, (*_, wrong) in KINDS.items() for value in wrong]
GOOD = {name: value for name, (_, _, value, _) in KINDS.items()}
GIVEN = {"must": "x"}
HEADERS = {"Authorization": "Basic " + base64.b64encode(b"ada:ada-password").decode()}


def parsed():
    dag = DAG("kinds", schedule=None, params={name: kind[0] for name, kind in KINDS.items()})
    text = encode(serialize(dag, relative_fileloc="kinds.py"))
    return ParsedFile("kinds.py", "/dags/kinds.py", "1", NOW, 0.1, [ParsedDag("kinds", text)])


@pytest.fixture
def faces(store, client, browser):
    """Return face → a function that triggers with a conf: (was it taken, what it said)."""
    store.files.save(parsed(), NOW)
    browser.log_in("ada")

    def page(conf):
        form = {"as_json": "1", "conf": json.dumps(conf)}
        answer = browser.post("/dags/kinds/trigger", form)
        return answer.status_code == 302, answer.text

    def api(path, **more):
        def call(conf):
            answer = client.post(path, json={"conf": conf, **more}, headers=HEADERS)
            return answer.status_code == 200, answer.text

        return call

    return {
        "page": page,
        "v1": api("/api/v1/dags/kinds/dagRuns"),
        "v2": api("/api/v2/dags/kinds/dagRuns", logical_date=None),
    }


def test_every_face_takes_what_fits_and_refuses_the_rest_by_the_name_of_its_param(store, faces):
    """One test for all: each call of the API checks a password, which takes its time."""
    for face, trigger in faces.items():
        for name, value in WRONG if face == "page" else dict(WRONG).items():
            is_taken, said = trigger({**GIVEN, name: value})
            assert not is_taken, (face, name, value)
            assert name in said, (face, name, value, said)
        assert not trigger({})[0], face  # what has no default must be given
        assert store.runs.list("kinds") == []

    for face, trigger in faces.items():
        is_taken, said = trigger(GOOD)
        assert is_taken, (face, said)
    assert [run.conf for run in store.runs.list("kinds")] == [GOOD] * 3


def test_what_is_typed_into_the_form_becomes_values_of_their_types(store, faces, browser):
    typed = {f"param.{name}": text for name, (_, text, _, _) in KINDS.items()}

    answer = browser.post("/dags/kinds/trigger", typed)

    assert answer.status_code == 302, answer.text
    (run,) = store.runs.list("kinds")
    assert run.conf == GOOD


TYPED_WRONG = [
    ("whole", "many"), ("whole", "0"), ("number", "x"), ("choice", '"asia"'), ("day", "soon"),
    ("object", "{"), ("object", "{}"), ("numbers", "[1, 1]"), ("text", "abcd"), ("at", "25:00"),
]  # fmt: skip


def test_what_is_typed_and_does_not_fit_is_shown_again_with_the_reason(store, faces, browser):
    form = {f"param.{one}": text for one, (_, text, _, _) in KINDS.items()}

    for name, typed in TYPED_WRONG:
        answer = browser.post("/dags/kinds/trigger", {**form, f"param.{name}": typed})

        assert answer.status_code in (200, 400, 422)
        assert f"&#39;{name}&#39;" in answer.text, (name, typed)
    assert store.runs.list("kinds") == []


def test_a_command_takes_and_refuses_the_same(tmp_path, monkeypatch, capsys):
    from tradewind.sdk import configuration

    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setenv("TRADEWIND__CORE__LOAD_EXAMPLES", "False")
    monkeypatch.delenv("TRADEWIND__DATABASE__SQL_ALCHEMY_CONN", raising=False)
    configuration.reset()
    migrate()
    store = open_store()
    store.files.save(parsed(), NOW)

    for name, value in dict(WRONG).items():
        code = run(["dags", "trigger", "kinds", "--conf", json.dumps({**GIVEN, name: value})])
        printed = capsys.readouterr()
        assert (code, printed.out) == (1, ""), (name, value)
        assert f"'{name}'" in printed.err
    assert run(["dags", "trigger", "kinds", "--conf", json.dumps(GOOD)]) == 0
    assert [one.conf for one in store.runs.list("kinds")] == [GOOD]
    store.close()
    configuration.reset()
