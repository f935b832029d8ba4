"""Variables, connections, pools, users, XComs, events, the outbox."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tradewind.database.errors import AlreadyExists, DatabaseError, NotAllowed, PoolNotFound
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import XComWrite


def raw(house, statement):
    with house.store.database.read() as connection:
        return connection.exec_driver_sql(statement).fetchone()


def test_a_variable_is_encrypted_at_rest(house, tmp_path):
    variables = house.store.variables
    variables.set("k", "top secret", "about it", now=house.now, actor="user:me")
    variables.set("k", "newer secret", now=house.now, actor="user:me")

    row = variables.get("k")

    assert (row.value, row.description) == ("newer secret", "about it")
    assert "secret" not in raw(house, "SELECT value FROM variable")[0]
    assert variables.delete("k", now=house.now)
    assert not variables.delete("k", now=house.now)
    assert variables.get("k") is None


def test_a_connection_hides_password_and_extra(house, tmp_path):
    connections = house.store.connections
    fields = {"conn_type": "http", "host": "h", "password": "p4ss", "extra": '{"t": "tok"}'}
    assert connections.set("c", fields, now=house.now)
    assert not connections.set("c", fields, now=house.now)

    found = connections.get("c")

    assert {name: found[name] for name in fields} == fields
    stored = raw(house, "SELECT password, extra, host FROM connection")
    assert "p4ss" not in stored[0]
    assert "tok" not in stored[1]
    assert stored[2] == "h"


def test_another_key_is_one_clear_error(house, settings):
    house.store.variables.set("k", "v", now=house.now)
    other = Store(
        StoreSettings(url=settings.url, fernet_key="YW5vdGhlciBrZXkgb2YgdGhpcnR5IHR3byBieXRlcyE=")
    )

    with pytest.raises(DatabaseError, match="fernet_key"):
        other.variables.get("k")
    other.close()


def test_pools_count_what_takes_their_slots(house, task):
    house.store.pools.set("p", 3, now=house.now, actor="user:me")
    house.add(task("a", pool="p", pool_slots=2), task("b", pool="p", pool_slots=2))
    house.run()
    house.claim()

    pool = house.store.pools.get("p")

    assert (pool.running, pool.queued, pool.scheduled) == (2, 0, 2)


def test_the_default_pool_stays(house):
    with pytest.raises(NotAllowed):
        house.store.pools.delete("default_pool", now=house.now, actor="user:me")
    with pytest.raises(PoolNotFound):
        house.store.pools.delete("nope", now=house.now, actor="user:me")


def test_only_the_right_password_signs_in(house, tmp_path):
    users = house.store.users
    users.create(username="ada", password="right", roles=["Admin"], now=house.now)

    assert users.verify("ada", "wrong", now=house.now) is None
    assert users.verify("bob", "right", now=house.now) is None
    assert users.verify("ada", "right", now=house.now).role == "Admin"
    assert raw(house, "SELECT password_hash FROM tw_user")[0].startswith("scrypt:")
    with pytest.raises(AlreadyExists):
        users.create(username="ada", password="x", roles=["Viewer"], now=house.now)


def test_a_new_password_has_a_new_fingerprint(house):
    users = house.store.users
    before = users.create(username="ada", password="one", roles=["Admin"], now=house.now)

    users.set_password("ada", "two", now=house.now, actor="user:ada")

    assert users.get("ada").password_fingerprint != before.password_fingerprint
    assert users.verify("ada", "two", now=house.now) is not None


def push(house, claim, value, key="return_value", holder=None):
    return house.store.xcoms.set(
        dag_id="d",
        run_id=claim.run_id,
        task_id=claim.task_id,
        map_index=claim.map_index,
        key=key,
        value=value,
        length=None,
        now=house.now,
        holder=holder,
    )


def test_a_push_replaces_what_stood_there(house, task):
    house.add(task("a"))
    house.run()
    [claim] = house.claim()
    push(house, claim, "1")
    push(house, claim, "2")

    [entry] = house.store.xcoms.get_many(dag_id="d", run_id="r", task_ids=["a"])

    assert entry.value == "2"


def test_a_fenced_attempt_pushes_nothing(house, task):
    house.add(task("a"))
    house.run()
    [claim] = house.claim()
    holder = (claim.task_instance_id, claim.epoch)
    assert push(house, claim, "1", holder=holder)
    house.store.runs.set_state("d", "r", "failed", house.now, "user:me")

    assert not push(house, claim, "2", holder=holder)


def test_a_new_try_begins_without_the_old_ones_xcoms(house, task):
    house.add(task("a", retries=1, retry_delay_s=0))
    number = house.run()
    [claim] = house.claim()
    push(house, claim, "1", key="k")
    house.finish(claim, "failed")
    house.pass_time(seconds=1)
    house.store.runs.advance([number], house.now)

    house.claim()

    assert house.store.xcoms.list("d", "r", "a") == []


def test_xcoms_that_come_with_a_result_are_there_when_the_next_task_is_claimed(house, task):
    house.add(task("a"), task("b", "a"))
    house.run()
    [claim] = house.claim()

    finished = house.finish(claim, limit=1, xcoms=[XComWrite("return_value", "[1, 2]", 2)])

    assert [one.task_id for one in finished.claims] == ["b"]
    [entry] = house.store.xcoms.get_many(dag_id="d", run_id="r", task_ids=["a"])
    assert (entry.value, entry.length) == ("[1, 2]", 2)


def test_xcoms_of_earlier_runs_come_newest_first(house, task):
    house.add(task("a"))
    for day in range(3):
        at = house.now + timedelta(days=day)
        house.run(f"r{day}", logical_date=at, run_after=house.now)
    for claim in house.claim():
        push(house, claim, claim.run_id)

    entries = house.store.xcoms.get_many(
        dag_id="d", run_id="r1", task_ids=["a"], include_prior_dates=True
    )

    assert [entry.value for entry in entries] == ["r1", "r0"]


def test_a_lost_process_leaves_its_failure_callback_in_the_outbox(house, task):
    house.add(task("a", callbacks=["failure"]))
    house.run()
    [claim] = house.claim()
    house.finish(claim, "failed", signal=9, reason="signal 9", has_run_callbacks=False)

    [message] = house.store.outbox.take(house.now)

    assert message.kind == "task_failure_callback"
    assert message.payload["task_id"] == "a"
    assert house.store.outbox.take(house.now) == []
    house.store.outbox.done(message.id)
    house.pass_time(hours=1)
    assert house.store.outbox.take(house.now) == []


def test_a_message_that_fails_comes_back_and_is_parked_at_last(house, task, settings):
    house.add(task("a", callbacks=["failure"]))
    house.run()
    [claim] = house.claim()
    house.finish(claim, "failed", has_run_callbacks=False)

    tries = 0
    while messages := house.store.outbox.take(house.now):
        tries += 1
        house.store.outbox.fail(messages[0].id, "no", house.now)
        house.pass_time(hours=1)

    assert tries == settings.outbox_tries_max


def test_a_dag_callback_is_a_row_of_the_commit_that_ends_the_run(house, task):
    house.add(task("a"), callbacks=["success"])
    house.run()
    [claim] = house.claim()
    house.finish(claim)

    [message] = house.store.outbox.take(house.now)

    assert (message.kind, message.payload["callback"]) == ("dag_callback", "success")


def test_live_pages_follow_events_from_the_last_they_saw(house, task):
    house.add(task("a"))
    seen = house.store.events.last_id()
    house.run()

    entries = house.store.events.since(seen)

    changes = [change for one in entries for change in one.detail.get("changes", [])]
    assert [(change[1], change[3], change[4]) for change in changes] == [
        ("a", "none", "scheduled"),
        ("a", "scheduled", "queued"),
    ]


def test_the_event_log_is_bounded(tmp_path, house):
    small = Store(StoreSettings(url=house.store.settings.url, events_max=10))
    for number in range(30):
        small.events.record("act", now=house.now, actor="user:me", extra={"n": number})

    small.events.trim()

    assert len(small.events.list(limit=100)) == 10
    small.close()


def test_a_process_that_gives_signs_of_life_has_one_row(house):
    for _ in range(3):
        house.store.processes.beat("scheduler", "id-1", "host", 1, house.now)
        house.pass_time(seconds=5)

    [process] = house.store.processes.list()

    assert process.beat_at - process.started_at == timedelta(seconds=10)
