"""``users``, ``roles``, ``tokens``, ``webhooks`` and ``rotate-fernet-key`` as scripts call them."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet
from tradewind.cli.main import run
from tradewind.database.migrate import migrate
from tradewind.sdk import configuration

CREATE = "users create -u ada -f A -l L -e a@b -r Viewer -p pw"


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run a command in a home of its own; return exit code, stdout and stderr."""
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.delenv("TRADEWIND__DATABASE__SQL_ALCHEMY_CONN", raising=False)
    configuration.reset()
    migrate()

    def call(line: str, *more: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*line.split(), *more])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    yield call
    configuration.reset()


def rows(call, line: str):
    return json.loads(call(f"{line} -o json")[1])


def test_roles_are_made_extended_listed_and_deleted(call):
    assert call("roles create Sales Ops")[:2] == (0, "Added 2 role(s)\n")
    assert call("roles create Sales")[0] == 0
    names = [row["name"] for row in rows(call, "roles list")]
    assert names == ["Public", "Viewer", "User", "Op", "Admin", "Ops", "Sales"]

    add = "roles add-perms Sales -a can_read -a can_edit -r DAG:orders -r Website"
    assert call(add)[1] == "Added 4 permission(s)\n"
    listed = [row for row in rows(call, "roles list -p") if row["name"] == "Sales"]
    assert {"name": "Sales", "resource": "DAG:orders", "action": "can_edit,can_read"} in listed
    assert call("roles del-perms Sales -r Website")[1] == "Deleted 2 permission(s)\n"
    assert call("roles add-perms Public -a can_read -r DAGs")[0] == 0

    assert call("roles delete Sales Nope")[0] == 1
    assert call("roles delete Sales")[:2] == (0, "Deleted 1 role(s)\n")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("roles delete Nope", "no role 'Nope'"),
        ("roles delete Admin", "built in"),
        ("roles add-perms Nope -a can_read -r DAGs", "no role 'Nope'"),
        ("roles add-perms Public -a can_fly -r DAGs", "no action 'can_fly'"),
        ("roles add-perms Public -a can_read -r Planets", "no resource 'Planets'"),
        ("roles del-perms Viewer -a can_read -r DAGs", "always has can_read on DAGs"),
        ("users add-role -u nope -r Admin", '"nope" does not exist'),
        ("users import nope.json", "There is no file"),
        ("tokens create -u nope -n x", '"nope" does not exist'),
        ("tokens revoke 7", "no access token 7"),
        ("webhooks create w", "one DAG or for one asset"),
        ("webhooks create w --dag-id nope", "There is no DAG 'nope'"),
        ("webhooks revoke nope", "no webhook 'nope'"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_1(call, line, text):
    code, out, err = call(line)

    assert (code, out) == (1, "")
    assert text in err
    assert err.count("\n") == 1


def test_users_get_and_lose_roles_and_go_from_file_to_file(call, tmp_path):
    call(CREATE)

    assert call("users add-role -u ada -r Op")[0] == 0
    assert call("users add-role -u ada -r Op")[0] == 1
    assert rows(call, "users list")[0]["roles"] == ["Op", "Viewer"]
    assert call("users remove-role -e a@b -r Viewer")[0] == 0
    assert call("users remove-role -e a@b -r Viewer")[0] == 1

    file = tmp_path / "users.json"
    assert call(f"users export {file}")[0] == 0
    found = json.loads(file.read_text())
    assert set(found[0]) == {"id", "username", "email", "firstname", "lastname", "roles"}
    found[0]["roles"] = ["User"]
    file.write_text(json.dumps([*found, {**found[0], "username": "bob", "email": "b@b"}]))
    code, out, _ = call(f"users import {file}")
    assert (code, "bob" in out, "ada" in out) == (0, True, True)
    assert {row["username"]: row["roles"] for row in rows(call, "users list")} == {
        "ada": ["User"],
        "bob": ["User"],
    }
    file.write_text(json.dumps([{**found[0], "roles": ["King"]}]))
    assert call(f"users import {file}")[0] == 1


def test_roles_go_from_file_to_file(call, tmp_path):
    call("roles create Sales")
    call("roles add-perms Sales -a can_read -r DAG:orders")
    file = tmp_path / "roles.json"
    assert call(f"roles export -p {file}")[0] == 0
    call("roles delete Sales")

    assert call(f"roles import {file}")[0] == 0

    listed = rows(call, "roles list -p")
    assert {"name": "Sales", "resource": "DAG:orders", "action": "can_read"} in listed
    file.write_text('[{"name": "X", "resource": "DAGs", "action": "can_fly"}]')
    assert call(f"roles import {file}")[0] == 1
    assert "X" not in [row["name"] for row in rows(call, "roles list")]


def test_a_token_is_printed_once_and_revoked_by_its_number(call):
    call(CREATE)
    token = call("tokens create -u ada -n ci --days 2")[1].strip()

    assert token.startswith("twp_")
    [row] = rows(call, "tokens list")
    assert (row["username"], row["name"]) == ("ada", "ci")
    assert token not in call("tokens list")[1]
    assert call(f"tokens revoke {row['id']}")[0] == 0
    assert rows(call, "tokens list") == []


def test_the_key_is_changed_without_losing_a_secret(call, monkeypatch):
    old, new = (Fernet.generate_key().decode() for _ in range(2))

    def use(keys: str) -> None:
        monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", keys)
        configuration.reset()

    use(old)
    call("variables set v hush")
    use(f"{new},{old}")
    code, out, _ = call("rotate-fernet-key")
    assert (code, "1 variables" in out) == (0, True)
    use(new)
    assert call("variables get v")[1] == "hush\n"
    use(old)
    code, out, err = call("rotate-fernet-key")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "'v'" in err
    assert "hush" not in err


def test_passwords_stand_in_no_line_of_the_audit(call, monkeypatch):
    monkeypatch.setattr("sys.argv", ["tradewind", *CREATE.split()])
    call(CREATE)
    from tradewind.database.store import open_store

    store = open_store()
    written = json.dumps([one.detail for one in store.events.list()])
    store.close()
    assert "users create" in written
    assert "-p pw" not in written
