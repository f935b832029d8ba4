"""What is refused, and in which words. Source: ``spec/security.md`` section 6, and the table of
errors in ``spec/rest-api.md``."""

from __future__ import annotations

import json

import pytest

from .conftest import Api

RUNS = "/dags/orders/dagRuns"
BAD = {1: 400, 2: 422}


@pytest.fixture(params=[1, 2])
def api(request, client, orders) -> Api:
    return Api(client, request.param)


def bad(api: Api) -> int:
    return BAD[int(api.prefix[-1])]


def test_an_unknown_field_is_named(v1, v2, orders):
    first, second = v1("POST", RUNS, {"nope": 1}), v2("POST", RUNS, {"nope": 1})

    assert (first.status_code, second.status_code) == (400, 422)
    assert first.json["detail"] == "{'nope': ['Unknown field.']}"
    (entry,) = second.json["detail"]
    assert (entry["type"], entry["loc"]) == ("extra_forbidden", ["body", "nope"])


def test_an_unknown_query_parameter_is_refused_by_version_1_only(v1, v2, orders):
    assert v1("GET", "/dags?x=1").status_code == 400
    assert v2("GET", "/dags?x=1").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "limit=abc",
        "limit=-5",
        "limit=99999999999999999999",
        "offset=99999999999999999999",
        "offset=-1",
        "offset=9999999999999999",
    ],
)
def test_limits_that_make_no_sense(api, query):
    assert api("GET", f"/dags?{query}").status_code == bad(api)


@pytest.mark.parametrize(
    "text", ["foo", "2024-01-01T00:00:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"]
)
def test_instants_that_are_none_or_have_no_zone(api, text):
    assert api("GET", f"{RUNS}?start_date_gte={text}").status_code == bad(api)
    assert api("POST", RUNS, {"logical_date": text}).status_code == bad(api)


def test_an_ordering_that_does_not_exist(api):
    for path in ("/dags", RUNS, "/pools", "/dags/~/dagRuns/~/taskInstances"):
        assert api("GET", f"{path}?order_by=nope").status_code == 400


def test_bodies_that_are_no_json(v1, v2, orders):
    form = {"conf": "{}"}
    assert v1("POST", RUNS).status_code == 400
    assert v2("POST", RUNS).status_code == 422
    assert v1("POST", RUNS, data=form).status_code == 415
    assert v2("POST", RUNS, data=form).status_code == 422
    for text in ("{", "[]", '"x"', '{"conf": NaN}', "{\x00}"):
        for api in (v1, v2):
            answer = api("POST", RUNS, data=text, content_type="application/json")
            assert answer.status_code == bad(api), text


def test_json_that_is_too_deep_or_too_long(api):
    deep = '{"conf": {"a": ' + "[" * 3000 + "]" * 3000 + "}}"
    long = json.dumps({"conf": {"a": "x" * 3_000_000}})

    assert api("POST", RUNS, data=deep, content_type="application/json").status_code in (400, 422)
    assert api("POST", RUNS, data=long, content_type="application/json").status_code == 413


@pytest.mark.parametrize("conf", ["text", 1, [1]])
def test_a_conf_that_is_no_object(api, conf):
    answer = api("POST", RUNS, {"conf": conf})

    assert answer.status_code == bad(api)
    assert "conf" in answer.text


@pytest.mark.parametrize(
    "run_id", ["a/b", "../../x", "a\\b", "a\nb", "a\x00b", "x" * 300, "..", ""]
)
def test_run_ids_that_could_be_paths(api, run_id):
    assert api("POST", RUNS, {"dag_run_id": run_id}).status_code in (400, 422)


@pytest.mark.parametrize("state", ["running", "none", "x"])
def test_states_that_a_person_cannot_give(api, state):
    api("POST", RUNS, {"dag_run_id": "x"})

    assert api("PATCH", f"{RUNS}/x", {"state": state}).status_code == bad(api)


def test_nothing_but_the_note_is_changed_by_a_note(v1, v2, orders):
    v1("POST", RUNS, {"dag_run_id": "x"})

    body = {"note": "n", "conf": {"a": 1}}
    assert v1("PATCH", f"{RUNS}/x/setNote", body).status_code == 400
    assert v2("PATCH", f"{RUNS}/x", body).status_code == 422
    assert v1("PATCH", f"{RUNS}/x/setNote", {"note": "n" * 1001}).status_code == 400
    assert v1.get(f"{RUNS}/x")["note"] is None


def test_an_encoded_slash_never_leads_to_another_route(api):
    for path in ("/dags/orders%2Fdetails", "/dags/orders%2FdagRuns", "/pools/a%2Fb"):
        assert api("GET", path).status_code == 404


@pytest.mark.parametrize("name", ["", "x" * 300])
def test_names_that_no_pool_has(api, name):
    assert api("POST", "/pools", {"name": name, "slots": 1}).status_code == bad(api)


@pytest.mark.parametrize("slots", [-5, "five", 2**40, 1.5])
def test_numbers_of_slots_that_no_pool_has(api, slots):
    assert api("POST", "/pools", {"name": "p", "slots": slots}).status_code == bad(api)


def test_the_default_pool_stays(api):
    assert api("DELETE", "/pools/default_pool").status_code == 400
    assert api("PATCH", "/pools/default_pool", {"slots": 5}).status_code == 200


@pytest.mark.parametrize("conn_id", ["x/../y", "a b", "'; DROP", "x" * 201, ""])
def test_connection_ids_that_are_none(api, conn_id):
    body = {"connection_id": conn_id, "conn_type": "http"}

    assert api("POST", "/connections", body).status_code == bad(api)


@pytest.mark.parametrize(("key", "is_fine"), [("a/b", True), ("a..b", False), ("a\nb", False)])
def test_keys_of_variables(api, key, is_fine):
    answer = api("POST", "/variables", {"key": key, "value": "x"})

    assert (answer.status_code < 300) is is_fine
    if is_fine:
        assert api.get(f"/variables/{key}")["value"] == "x"


def test_the_log_of_a_try_that_never_ran(api):
    api("POST", RUNS, {"dag_run_id": "x"})
    for number in ("-1", "0", "999999", "1%2F..%2F..%2Fx", "abc"):
        path = f"{RUNS}/x/taskInstances/load/logs/{number}"
        assert api("GET", path).status_code == 404, number


def test_unknown_addresses_and_methods(v1, v2):
    assert v1("GET", "/nope").content_type == "application/problem+json"
    assert v2("GET", "/nope").json == {"error": "API route not found"}
    assert v1("PUT", "/dags").status_code == 405
    assert v2("PUT", "/dags").json == {"detail": "Method Not Allowed"}


def test_patterns_are_never_regular_expressions(v2, orders):
    for text in ("(a%2B)%2B$", "%25" * 2000, "_", "x" * 4000, "|" * 3000):
        assert v2("GET", f"/dags?dag_id_pattern={text}").status_code == 200


def test_no_connection_is_tried_out(api):
    answer = api("POST", "/connections/test", {"connection_id": "c", "conn_type": "http"})

    assert answer.status_code == 403


def test_settings_are_not_shown_by_default(api):
    assert api("GET", "/config").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/dags?tags_match_mode=some",
        "/dags?last_dag_run_state=fine",
        "/dags/~/dagRuns?state=fine",
        "/dags/~/dagRuns?run_type=daily",
        "/dags/~/dagRuns/~/taskInstances?state=success&state=fine",
    ],
)
def test_a_word_that_is_none_of_those_expected_is_refused_with_the_list(v2, path):
    answer = v2("GET", path)

    assert answer.status_code == 422
    assert answer.json["detail"][0]["type"] == "enum"
    assert (
        v2("GET", "/dags/~/dagRuns/~/taskInstances?state=none&state=no_status").status_code == 200
    )
