"""Roles, sessions, tokens, webhooks and cut reads, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from tradewind.database import migrate as migrate_module
from tradewind.database.caller import Caller, ForeignDag, caller
from tradewind.database.engine import Database
from tradewind.database.errors import AlreadyExists, NotFound

ME = "user:ada"


@pytest.fixture
def only_mine() -> Iterator[None]:
    """Ask as somebody who may see and change the DAG ``mine`` only."""
    mine = frozenset({"mine"})
    token = caller.set(Caller("192.0.2.1", readable=mine, changeable=mine))
    yield
    caller.reset(token)


@pytest.fixture
def two_dags(house, task) -> None:
    for dag_id in ("mine", "theirs"):
        house.add(task("a"), task("b"), dag_id=dag_id)
        house.run(dag_id=dag_id)


def test_reads_are_cut_to_the_callers_dags(house, two_dags, only_mine):
    store = house.store

    assert [row.dag_id for row in store.dags.list()] == ["mine"]
    assert store.dags.count() == 1
    assert {row.dag_id for row in store.runs.list()} == {"mine"}
    assert store.runs.count(None) == len(store.runs.list())
    assert store.dags.find("theirs") is None
    assert {row.dag_id for row in store.events.list(with_state_changes=True)} <= {"mine", None}
    assert {row.dag_ids for row in store.files.load_all()} == {("mine",)}
    found = store.listings.instances([], ["id"], 100, 0)
    assert (found.total, {one.row.dag_id for one in found.rows}) == (2, {"mine"})


def test_an_act_on_a_foreign_dag_is_rolled_back(house, two_dags, only_mine):
    with pytest.raises(ForeignDag, match="theirs"):
        house.store.dags.set_paused("theirs", True, house.now, ME)
    house.store.dags.set_paused("mine", True, house.now, ME)

    caller.set(None)
    assert not house.store.dags.get("theirs").is_paused
    [event] = house.store.events.list(kinds=["dag.paused"])
    assert (event.dag_id, event.detail["from"]) == ("mine", "192.0.2.1")


def test_a_user_has_roles_and_loses_them_with_the_role(house):
    users, roles, now = house.store.users, house.store.roles, house.now
    users.create(username="ada", password=None, roles=["Team", "Viewer"], now=now)
    roles.create("Team", now=now, actor=ME)
    with pytest.raises(AlreadyExists):
        roles.create("Team", now=now, actor=ME)

    wanted = [("can_read", "DAG:d"), ("can_edit", "DAG:d")]
    assert roles.add_permissions("Team", wanted, now=now, actor=ME) == 2
    assert roles.add_permissions("Team", wanted, now=now, actor=ME) == 0
    assert roles.remove_permissions("Team", wanted[:1], now=now, actor=ME) == 1
    assert roles.permissions(["Team", "Viewer"]) == {"Team": {("can_edit", "DAG:d")}}
    assert roles.user_counts() == {"Team": 1, "Viewer": 1}
    assert users.get("ada").roles == ("Team", "Viewer")
    assert not users.get("ada").has_password
    assert users.verify("ada", "", now=now) is None

    roles.delete("Team", now=now, actor=ME)
    assert users.list()[0].roles == ("Viewer",)
    with pytest.raises(NotFound):
        roles.delete("Team", now=now, actor=ME)


def test_sessions_tokens_and_webhooks_are_found_by_what_only_their_holder_knows(house):
    store, now = house.store, house.now
    user = store.users.create(username="ada", password=None, roles=[], now=now)
    long = {"idle": timedelta(days=1), "age": timedelta(days=2)}

    session = store.sessions.begin(
        user.id, address="::1", now=now, actor=ME, expired_before=now - timedelta(days=1)
    )
    number, token = store.access_tokens.create(
        user.id, "ci", expires_at=now + timedelta(days=1), now=now, actor=ME
    )
    hook = store.webhooks.create(
        "h", dag_id="d", created_by="ada", expires_at=None, now=now, actor=ME
    )

    assert store.sessions.find_user(session, now=now, **long) == user.id
    assert store.sessions.find_user(session, now=now + timedelta(days=1.5), **long) is None
    assert store.access_tokens.find_user(token, now=now) == user.id
    assert store.access_tokens.find_user(token, now=now + timedelta(days=1)) is None
    assert store.webhooks.find("h", hook, now=now).dag_id == "d"
    assert store.webhooks.get("h").use_count == 1
    for wrong in ("", "x", token):
        assert store.webhooks.find("h", wrong, now=now) is None
    store.access_tokens.revoke(number, user_id=user.id, now=now, actor=ME)
    assert store.access_tokens.find_user(token, now=now) is None
    store.access_tokens.give_back("j", expires_at=now + timedelta(days=1), now=now, actor=ME)
    assert store.access_tokens.is_given_back("j")
    store.users.delete("ada", now=now, actor=ME)
    assert store.sessions.find_user(session, now=now, **long) is None


def test_an_answer_is_kept_for_its_key_and_a_dead_request_gives_it_back(house):
    keys, now = house.store.idempotency, house.now

    assert keys.begin("k", "r", now=now) is None
    assert keys.begin("k", "r", now=now).status is None
    assert keys.begin("k", "r", now=now + timedelta(minutes=3)) is None
    keys.keep("k", 201, {"Content-Type": "x"}, b"\x00body")
    kept = keys.begin("k", "r", now=now + timedelta(minutes=4))
    assert (kept.status, kept.headers, kept.body) == (201, {"Content-Type": "x"}, b"\x00body")
    assert keys.begin("k", "other", now=now).is_other
    assert keys.begin("k", "r", now=now + timedelta(days=2)) is None


def test_secrets_are_encrypted_anew_in_one_go(house):
    store, now = house.store, house.now
    store.variables.set("v", "hush", now=now)
    store.connections.set("c", {"conn_type": "http", "password": "hush"}, now=now)
    with store.database.read() as connection:
        before = connection.execute(text("SELECT value FROM variable")).scalar()

    assert store.encryption.rotate(now=now, actor=ME) == {
        "variables": 1,
        "connections": 1,
        "triggers": 0,
        "asset watchers": 0,
    }

    with store.database.read() as connection:
        assert connection.execute(text("SELECT value FROM variable")).scalar() != before
    assert store.variables.get("v").value == "hush"


def test_an_upgrade_keeps_each_users_role(database_url, settings):
    from alembic import command

    migrate_module.migrate(settings)
    config = migrate_module.alembic_config()
    database = Database(settings.url)
    insert = (
        "INSERT INTO tw_user (username, password_hash, role, created_at) "
        "VALUES ('old', 'scrypt:x', 'Op', '2024-01-01 00:00:00')"
    )
    for act in (
        lambda: command.downgrade(config, "0002"),
        lambda: connection.execute(text(insert)),
        lambda: command.upgrade(config, "head"),
    ):
        with database.write() as connection:
            config.attributes["connection"] = connection
            act()

    with database.read() as connection:
        found = connection.execute(
            text("SELECT u.username, r.role FROM tw_user u JOIN user_role r ON r.user_id = u.id")
        ).all()
    database.close()
    assert [tuple(row) for row in found] == [("old", "Op")]
