"""Bad input, by its row in the checklist of ``spec/security.md`` section 6.

Rows whose test stands elsewhere are named in ``ELSEWHERE``; a test makes sure that none is lost.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.sessions import SecureCookieSessionInterface
from tradewind.control.exchange_files import read_entries
from tradewind.control.input import InvalidInput
from tradewind.control.run_conf import check_conf
from tradewind.planning.plan_runs import BackfillRefused, plan_backfill
from tradewind.scheduler.service_log import WithoutCredentials
from tradewind.sdk import configuration
from tradewind.sdk.clock import WallClock
from tradewind.sdk.configuration import conf
from tradewind.sdk.errors import TradewindError
from tradewind.sdk.patterns import is_match
from tradewind.sdk.serialized import SerializedParam
from tradewind.sdk.timetables.create import create_timetable
from tradewind.webserver.app import secret_key

from .conftest import NOW, dag_of, save

TESTS = Path(__file__).parents[2]
#: Row of the checklist → file and test that shows its answer.
ELSEWHERE = {
    1: "unit/webserver/test_login.py::test_every_route_but_the_open_ones_asks_for_a_login",
    2: "unit/webserver_api/test_who_may.py::test_wrong_basic_credentials_are_one_and_the_same_401",
    3: "unit/webserver_api/test_who_may.py::test_the_sixth_wrong_password_is_not_even_looked_at",
    8: "unit/webserver_api/test_who_may.py::"
    "test_a_session_reads_but_writes_only_with_its_csrf_token",
    9: "unit/webserver/test_login.py::test_only_a_path_of_ours_is_followed_after_login",
    18: "unit/webserver_api/test_bad_input.py::test_nothing_but_the_note_is_changed_by_a_note",
    21: "unit/webserver_api/test_bad_input.py::test_run_ids_that_could_be_paths",
    23: "unit/sdk/test_dag.py::test_an_id_with_other_characters_or_too_long_is_refused",
    24: "unit/webserver_api/test_bad_input.py::test_the_log_of_a_try_that_never_ran",
    27: "unit/webserver_api/test_bad_input.py::test_connection_ids_that_are_none",
    28: "unit/webserver_api/test_bad_input.py::test_keys_of_variables",
    29: "unit/webserver_api/test_bad_input.py::test_numbers_of_slots_that_no_pool_has",
    30: "unit/webserver_api/test_bad_input.py::test_an_encoded_slash_never_leads_to_another_route",
    31: "unit/webserver_api/test_bad_input.py::test_json_that_is_too_deep_or_too_long",
    32: "unit/webserver_api/test_bad_input.py::test_limits_that_make_no_sense",
    33: "unit/webserver_api/test_bad_input.py::test_instants_that_are_none_or_have_no_zone",
    34: "unit/webserver_api/test_bad_input.py::test_patterns_are_never_regular_expressions",
    39: "acceptance/test_bad_files.py::"
    "test_each_bad_file_has_an_import_error_that_says_what_happened",
    45: "unit/webserver_api/test_secrets.py::test_three_stars_sent_back_keep_what_is_stored",
    47: "unit/task/test_results.py::test_rendered_fields_are_masked_before_they_are_cut",
    49: "unit/cli/test_audit.py::test_values_of_secret_options_are_not_recorded",
    51: "unit/values/test_secrets_masker.py::test_encoded_forms_of_a_secret_are_masked",
    54: "unit/webserver_api/test_bad_input.py::test_no_connection_is_tried_out",
    57: "unit/values/test_xcom_serialization.py::test_stored_text_cannot_name_a_class_to_be_called",
    70: "unit/database/test_engine.py::test_a_writer_waits_for_another_programs_lock",
}
#: What this product does not have, so that nothing can go wrong with it.
ABSENT = {
    44: "no export as CSV from pages or API",
    46: "a stored connection cannot be tried out with other fields",
    55: "connections are never tried out in the web process",
    56: "the web process opens no connection of a user",
    66: "only our own assets are served, from inside the package",
}
SCRIPT = "<script>alert('x')</script>"


def test_every_row_has_its_test():
    here = {
        int(number)
        for path in Path(__file__).parent.glob("test_*.py")
        for number in re.findall(r"def test_rows?_(\d+)_", path.read_text())
    }
    both = {
        int(number)
        for path in Path(__file__).parent.glob("test_*.py")
        for number in re.findall(r"def test_rows_\d+_and_(\d+)_", path.read_text())
    }
    for row, place in ELSEWHERE.items():
        name, _, function = place.partition("::")
        assert f"def {function}(" in (TESTS / name).read_text(), row

    assert set(range(1, 71)) - here - both - set(ELSEWHERE) - set(ABSENT) == set()


def test_row_6_a_cookie_signed_with_another_key_is_worth_nothing(person, app, monkeypatch):
    ada = person("ada")
    ada.log_in()
    with ada.client.session_transaction() as session:
        content = dict(session)
    for key in ("temporary_key", "another install's key"):
        other = type(app)("other")
        other.secret_key = key
        forged = SecureCookieSessionInterface().get_signing_serializer(other).dumps(content)
        ada.client.set_cookie("session", forged)
        assert ada.client.get("/dags").status_code == 302
        assert ada.client.get("/api/v1/dags").status_code == 401
    for key in ("temporary_key", "", "changeme"):
        monkeypatch.setenv("TRADEWIND__API__SECRET_KEY", key)
        configuration.reset()
        with pytest.raises(TradewindError, match="secret_key"):
            secret_key()


def test_row_11_links_to_us_are_made_of_base_url_and_not_of_the_host_that_was_sent(person):
    nobody = person(None).client

    answer = nobody.get("/dags", headers={"Host": "evil.example"})

    assert "evil.example" not in answer.headers["Location"]


def test_row_19_a_user_changes_neither_the_own_role_nor_anothers_password(person, store):
    def known():
        found = [store.users.get(name) for name in ("uma", "vic")]
        return [(one.roles, one.password_fingerprint) for one in found]

    before = known()
    uma = person("uma")

    for path, body in (
        ("uma", {"roles": [{"name": "Admin"}]}),
        ("vic", {"password": "taken"}),
    ):
        assert uma.api("PATCH", f"/api/v1/users/{path}", body).status_code == 403
    assert known() == before


def test_row_20_an_altered_file_token_opens_nothing(person, two_dags):
    ada = person("ada")
    token = ada.api("GET", "/api/v1/dags/half").json["file_token"]

    assert ada.api("GET", f"/api/v1/dagSources/{token}").status_code == 200
    for bad in (token[:-2] + "xx", "x" + token, "../../etc/passwd", "InN0b2xlbi5weSI.x"):
        assert ada.api("GET", f"/api/v1/dagSources/{bad}").status_code == 404
    assert person("sal").api("GET", f"/api/v1/dagSources/{token}").status_code in (403, 404)


def test_row_22_a_pattern_that_allows_all_still_allows_no_way_up(person, two_dags, monkeypatch):
    monkeypatch.setenv("AIRFLOW__SCHEDULER__ALLOWED_RUN_ID_PATTERN", ".*")
    configuration.reset()
    ada = person("ada")

    for run_id in ("../x", "a/../../b", ".."):
        answer = ada.api("POST", "/api/v2/dags/mine/dagRuns", {"dag_run_id": run_id})
        assert answer.status_code in (400, 422), run_id


def test_row_26_the_names_of_logs_come_from_the_settings_only():
    """Airflow keeps templates in its database; ours are rendered from nothing that is stored."""
    from tradewind.database import tables

    columns = {column.name for table in tables.metadata.sorted_tables for column in table.columns}

    assert not {name for name in columns if "template" in name}


@pytest.mark.parametrize(
    ("pattern", "value"), [("(a+)+$", "a" * 40 + "!"), ("^(\\w+\\s?)*$", "a " * 500_000 + "!")]
)
def test_row_35_a_pattern_that_backtracks_is_given_up_within_a_second(pattern, value):
    param = SerializedParam(name="p", default="", schema={"type": "string", "pattern": pattern})
    dag = dag_of("d", params=[param])

    with pytest.raises(InvalidInput, match="'p'"):
        check_conf(dag, {"p": value})
    assert is_match("^(ab)+$", "abab")
    assert not is_match("^(ab)+$", "aba")


def test_row_36_a_hundred_years_of_minutes_are_refused_with_their_number():
    dag = dag_of("d")
    minutely = create_timetable("* * * * *", timezone=UTC, dialect="3")

    with pytest.raises(BackfillRefused, match=r"about 5[23],\d{3},\d{3} runs"):
        plan_backfill(
            dag,
            minutely,
            datetime(1924, 1, 1, tzinfo=UTC),
            datetime(2024, 1, 1, tzinfo=UTC),
            NOW,
        )


@pytest.mark.parametrize("schedule", ["*/0 * * * *", "0 0 31 2 *", "60 * * * *", "not cron"])
def test_row_37_a_cron_that_never_fires_is_refused(schedule):
    with pytest.raises((ValueError, TradewindError)):
        create_timetable(schedule, timezone=UTC, dialect="3").validate()


def test_row_38_the_number_of_mapped_tasks_has_a_limit():
    assert conf.getint("core", "max_map_length") == 1024


def poisoned(store):
    """A DAG whose every text is a script, a run and a note of it, and settings of that name."""
    param = SerializedParam(
        name="p", default=SCRIPT, description=SCRIPT, schema={"type": "string", "title": SCRIPT}
    )
    dag = dag_of(
        "mine",
        dag_display_name=SCRIPT,
        description=SCRIPT,
        doc_md=f"{SCRIPT} [x](javascript:alert(1)) <img src=x onerror=alert(1)>",
        params=[param],
        owner_links={f"{SCRIPT}": "javascript:alert(1)"},
        edge_labels=[],
        task={"label": SCRIPT, "doc": SCRIPT, "doc_format": "doc_md"},
    )
    dag.tags = [SCRIPT]
    save(store, dag)
    store.dags.set_paused("mine", False, NOW, "user:test")


def test_row_40_scripts_in_any_text_are_shown_as_text(person, app, store, services):
    from tradewind.control.trigger import trigger_dag

    poisoned(store)
    trigger_dag(services, "mine", run_id="r", conf={"p": SCRIPT}, note=SCRIPT)
    store.variables.set("v", SCRIPT, SCRIPT, now=NOW)
    store.connections.set("c", {"conn_type": "http", "host": SCRIPT, "login": SCRIPT}, now=NOW)
    store.pools.set("p", 1, SCRIPT, now=NOW, actor="user:test")
    store.xcoms.set(
        dag_id="mine", run_id="r", task_id="mine_task", map_index=-1, key=SCRIPT,
        value=json.dumps(SCRIPT), length=None, now=NOW,
    )  # fmt: skip
    save(store, dag_of("broken"), error=f"{SCRIPT} is not defined")
    store.users.set_profile("vic", {"first_name": SCRIPT, "email": SCRIPT}, now=NOW, actor=SCRIPT)
    ada, seen = person("ada"), 0
    ada.log_in()
    values = {"dag_id": "mine", "run_id": "r", "task_id": "mine_task"}
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.rule.startswith(("/api", "/static", "/ui/stream")):
            continue
        path = re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", lambda m: values.get(m[1], "1"), rule.rule)
        answer = ada.client.get(path, headers={"User-Agent": SCRIPT})
        assert answer.status_code < 500, path
        if answer.mimetype != "text/html":
            continue
        seen += "alert(" in answer.text
        assert "<script>alert" not in answer.text, path
        assert "onerror=alert" not in answer.text.replace("&lt;img src=x onerror=alert", ""), path
        assert not re.search(r'href="\s*javascript:', answer.text), path
    assert seen > 8


@pytest.mark.parametrize("name", ["origin", "back", "next", "return_to"])
def test_row_41_no_parameter_leads_a_form_to_another_site(name, person, two_dags):
    ada = person("ada")
    ada.log_in()

    answer = ada.post("/dags/mine/paused", {"is_paused": "true", name: "https://evil.example/"})

    assert "evil.example" not in answer.headers.get("Location", "")
    page = ada.client.get(f"/dags/mine?{name}=https://evil.example/").text
    assert not re.search(r'(href|action|value)="https?:..evil', page)


def test_row_42_an_error_page_shows_no_markup_of_the_address(person):
    ada = person("ada")
    ada.log_in()
    for path in (f"/nope/{SCRIPT}", f"/dags/{SCRIPT}", f"/api/v1/{SCRIPT}", f"/hooks/{SCRIPT}"):
        answer = ada.client.get(path)
        assert answer.status_code in (404, 405), path
        assert SCRIPT not in answer.text or answer.mimetype != "text/html"


def test_row_43_a_log_is_sent_as_a_file_of_plain_text(person, two_dags, store):
    ada = person("ada")
    ada.log_in()

    answer = ada.client.get("/dags/mine/runs/mine_run/tasks/mine_task/log?try_number=1")

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if answer.status_code == 200:
        assert answer.mimetype == "text/plain"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    else:
        assert answer.status_code == 404  # nothing ran here


def test_row_48_an_unexpected_error_tells_its_number_and_nothing_else(
    person, store, monkeypatch, caplog
):
    def fail(*_args, **_more):
        raise RuntimeError("postgresql://u:canary-dsn@h/db is down")

    monkeypatch.setattr(store.pools, "list", fail)

    answers = [person("ada").api("GET", f"/api/v{version}/pools") for version in (1, 2)]

    for answer in answers:
        assert answer.status_code == 500
        assert "canary-dsn" not in answer.text
        assert re.search(r"Internal error [0-9a-f]{8}", answer.text)
    shown = WithoutCredentials("web")
    written = [shown.format(one) for one in caplog.records if one.exc_info]
    assert len(written) == 2
    assert "canary-dsn" not in "".join(written)


@pytest.mark.parametrize("exposed", ["False", "True", "non-sensitive-only"])
def test_row_50_secret_options_are_hidden_wherever_settings_are_shown(
    exposed, person, monkeypatch, app
):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "canary-fernet")
    monkeypatch.setenv("AIRFLOW__OIDC__CLIENT_SECRET", "canary-client")
    monkeypatch.setenv("AIRFLOW__API__EXPOSE_CONFIG", exposed)
    configuration.reset()
    ada = person("ada")
    ada.log_in()
    expected = 403 if exposed == "False" else 200
    for path in (
        "/configs",
        "/api/v1/config",
        "/api/v2/config",
        "/api/v2/config/section/core/option/fernet_key",
        "/api/v1/config/section/core/option/fernet_key",
    ):
        answer = ada.client.get(path)
        assert answer.status_code == expected, path
        assert "canary" not in answer.text, path


def test_row_52_a_connection_in_an_xcom_is_masked(person, two_dags, store):
    value = {"conn_id": "c", "password": "canary-xcom", "extra": {"token": "canary-xcom"}}
    store.xcoms.set(
        dag_id="mine", run_id="mine_run", task_id="mine_task", map_index=-1, key="conn",
        value=json.dumps(value), length=None, now=NOW,
    )  # fmt: skip
    path = "/dags/mine/dagRuns/mine_run/taskInstances/mine_task/xcomEntries/conn"
    for version in (1, 2):
        answer = person("ada").api("GET", f"/api/v{version}{path}")
        assert answer.status_code == 200
        assert "canary-xcom" not in answer.text


def test_row_25_the_log_endpoint_opens_one_log_with_its_ticket_and_no_other(tmp_path, monkeypatch):
    from tradewind.runtime.supervise.log_endpoint import LogApplication
    from tradewind.sdk.log_tickets import make_ticket
    from werkzeug.test import Client

    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path / "home"))
    configuration.reset()
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text("mine")
    (logs / "b.log").write_text("theirs")
    (tmp_path / "outside").write_text("secret")
    (logs / "link").symlink_to(tmp_path / "outside")
    client = Client(LogApplication(logs))

    def ask(name: str, ticket_for: str | None):
        ticket = None if ticket_for is None else make_ticket(ticket_for, WallClock().now())
        headers = {} if ticket is None else {"Authorization": f"Bearer {ticket}"}
        return client.get(f"/log/{name}", headers=headers)

    assert ask("a.log", "a.log").text == "mine"
    assert ask("a.log", None).status_code == 403
    assert ask("b.log", "a.log").status_code == 403
    for name in ("../outside", "/etc/passwd", "link", "..%2foutside", ""):
        assert ask(name, name).status_code in (403, 404), name
    configuration.reset()


def test_row_53_processes_of_user_code_get_no_keys_and_no_database():
    from tradewind.runtime.supervise.task_environment import without_secrets

    kept = {"PATH": "/bin", "AIRFLOW_CONN_MINE": "http://h", "AIRFLOW__CORE__PARALLELISM": "3"}
    secret = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "x",
        "TRADEWIND__CORE__FERNET_KEY": "x",
        "AIRFLOW__WEBSERVER__SECRET_KEY": "x",
        "AIRFLOW__API__SECRET_KEY_CMD": "x",
        "AIRFLOW__API_AUTH__JWT_SECRET": "x",
        "TRADEWIND__OIDC__CLIENT_SECRET": "x",
    }

    assert dict(without_secrets({**kept, **secret})) == kept


def test_row_58_nothing_stored_is_ever_unpickled():
    root = TESTS.parent
    packages = ("cli", "control", "database", "scheduler", "webserver", "planning", "executors")
    found = [
        str(path.relative_to(root))
        for name in packages
        for path in (root / name).rglob("*.py")
        if re.search(r"^\s*(import pickle|from pickle|import dill|import cloudpickle)",
                     path.read_text(), re.M)
    ]  # fmt: skip

    assert found == []


def test_row_59_a_celery_message_that_is_not_signed_here_is_refused():
    from tradewind.executors.celery.message import is_genuine, sign

    key = b"k" * 32

    assert is_genuine(key, (7, 1, sign(key, 7, 1)))
    for forged in (
        (7, 2, sign(key, 7, 1)),
        (8, 1, sign(key, 7, 1)),
        (7, 1, sign(b"x" * 32, 7, 1)),
        (7, 1),
        (7, 1, sign(key, 7, 1), "more"),
        ("7", 1, sign(key, 7, 1)),
        (7, 1, None),
        {},
    ):
        assert not is_genuine(key, forged)


def test_rows_60_and_61_templates_in_texts_are_shown_and_never_rendered(person, store, services):
    from tradewind.control.trigger import trigger_dag

    text = "{{ 7 * 191 }} {{ ''.__class__.__mro__ }}"
    param = SerializedParam(name="p", default=text, description=text, schema={"type": "string"})
    save(store, dag_of("mine", description=text, doc_md=text, params=[param]))
    trigger_dag(services, "mine", run_id="r", note=text)
    ada = person("ada")
    ada.log_in()
    for path in ("/dags", "/dags/mine", "/dags/mine/details", "/dags/mine/trigger",
                 "/dags/mine/runs/r", "/api/v2/dags/mine/details"):  # fmt: skip
        answer = ada.client.get(path)
        assert answer.status_code == 200, path
        assert "1337" not in answer.text, path
        assert "&lt;class" not in answer.text, path


def test_row_62_examples_hand_conf_to_bash_by_environment():
    folder = TESTS.parent / "dags"
    for path in folder.rglob("*.py"):
        for command in re.findall(r"bash_command\s*=\s*(.+)", path.read_text()):
            assert not re.search(r"\{\{[^}]*(conf|params|run_id)", command), path


def test_row_63_files_of_settings_hold_no_objects_and_have_a_size(tmp_path):
    evil = tmp_path / "v.yaml"
    evil.write_text("x: !!python/object/apply:os.system ['true']\n")
    large = tmp_path / "large.json"
    large.write_bytes(b'{"a": "' + b"x" * 21 * 2**20 + b'"}')

    with pytest.raises(InvalidInput, match="YAML"):
        read_entries(str(evil))
    with pytest.raises(InvalidInput, match="larger"):
        read_entries(str(large))


def test_row_64_names_of_packages_are_text(person, app, monkeypatch):
    ada = person("ada")
    ada.log_in()
    for path in ("/api/v2/plugins", "/api/v2/providers"):
        assert ada.client.get(path).mimetype == "application/json"


def test_row_65_what_is_secret_is_for_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path / "home"))
    configuration.reset()
    conf.get("core", "fernet_key")
    conf.get("api", "secret_key")
    for path in (tmp_path / "home" / "secrets").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert any((tmp_path / "home" / "secrets").iterdir())
    configuration.reset()


def test_row_67_no_conf_becomes_a_setting(person, two_dags, store):
    body = {"conf": {"AIRFLOW__CORE__FERNET_KEY": "x", "env": {"AIRFLOW__API__PORT": "1"}}}

    assert person("ada").api("POST", "/api/v1/dags/mine/dagRuns", body).status_code == 200
    assert conf.get("core", "fernet_key") != "x"


def test_row_68_no_name_of_a_user_reaches_a_shell():
    """``run_as_user`` is kept and shown; nothing is ever started with it."""
    root = TESTS.parent
    users = [
        str(path.relative_to(root))
        for name in ("runtime", "executors", "scheduler")
        for path in (root / name).rglob("*.py")
        if "run_as_user" in path.read_text()
    ]
    shells = [
        str(path.relative_to(root))
        for name in ("runtime", "executors", "scheduler", "webserver", "control", "cli")
        for path in (root / name).rglob("*.py")
        if re.search(r"shell=True|os\.system\(|os\.popen\(", path.read_text())
    ]

    assert users == []
    assert shells == []


def test_row_69_a_run_that_is_deleted_while_the_scheduler_holds_it_is_let_go(
    person, two_dags, store
):
    run = store.runs.get("mine", "mine_run")
    ids = [run.id]

    store.runs.set_state("mine", "mine_run", "failed", NOW, "user:test")
    store.runs.delete("mine", "mine_run", NOW, "user:test")

    store.runs.advance(ids, NOW)
    assert store.runs.find("mine", "mine_run") is None
