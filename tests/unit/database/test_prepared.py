"""The shorter way to the driver: the same answers, the same errors, nothing half done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from tradewind.database import state_writes
from tradewind.database.errors import DatabaseAway
from tradewind.database.locking import Locking
from tradewind.database.prepared import LostRace
from tradewind.database.tables import dag_run, event, pool, task_instance, xcom
from tradewind.sdk.states import TaskInstanceState

AT = datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=UTC)
OF_IDS = (
    select(task_instance.c.task_id, task_instance.c.state, dag_run.c.run_after, dag_run.c.conf)
    .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
    .where(
        task_instance.c.id.in_(bindparam("ids", expanding=True)),
        dag_run.c.run_after <= bindparam("now", type_=dag_run.c.run_after.type),
    )
    .order_by(task_instance.c.id)
)
NOTE = (
    update(task_instance)
    .where(task_instance.c.id == bindparam("held_id"))
    .values(
        note=bindparam("new_note"), due_at=bindparam("new_due_at", type_=dag_run.c.ended_at.type)
    )
)
HELD = select(*state_writes.HELD_COLUMNS).order_by(task_instance.c.id)
ADD_POOL = insert(pool)
#: A statement is met once before it is worth being prepared, and once while it is.
TIMES = 3


@pytest.fixture
def shortly(house):
    """Give transactions on the shorter way."""
    return lambda **how: house.store.database.write_shortly(Locking.ROWS, **how)


def test_both_ways_give_the_same_rows(house, task, shortly):
    house.add(task("a"), task("b"), task("c"))
    house.run(conf={"a": [1, None, "%s ä"]})
    for ids in ([1], [1, 2, 3], [], [3, 1]):
        for now in (house.now, house.now - timedelta(microseconds=1)):
            parameters = {"ids": ids, "now": now}
            with house.store.database.write(Locking.ROWS) as connection:
                plain = [tuple(row) for row in connection.execute(OF_IDS, parameters).all()]
            for _ in range(TIMES):
                with shortly() as connection:
                    short = [tuple(row) for row in connection.execute(OF_IDS, parameters).all()]
                assert short == plain
            assert len(plain) == (len(ids) if now == house.now else 0)


def test_what_is_written_without_looking_at_the_answer_is_there(house, task, shortly):
    house.add(task("a"), task("b"))
    house.run()
    for text in ("one", "it's 100 %", "ä\n%s", None):
        with shortly() as connection:
            connection.execute(NOTE, {"held_id": 1, "new_note": text, "new_due_at": AT})
            both = connection.execute(
                NOTE,
                [{"held_id": id_, "new_note": text, "new_due_at": AT} for id_ in (1, 2)],
            )
            assert both.rowcount == 2
            kept = connection.execute(select(task_instance.c.note, task_instance.c.due_at)).all()
        assert [tuple(row) for row in kept] == [(text, AT)] * 2


def test_what_is_undone_to_a_savepoint_is_not_there(house, shortly):
    for number in range(TIMES):
        with shortly() as connection:
            for name, is_kept in ((f"kept {number}", True), (f"undone {number}", False)):
                savepoint = connection.begin_nested()
                connection.execute(ADD_POOL, [{"name": name, "slots": 1}])
                savepoint.commit() if is_kept else savepoint.rollback()
    assert sorted(row.name for row in house.store.pools.list()) == [
        "default_pool",
        *(f"kept {number}" for number in range(TIMES)),
    ]


def test_an_error_undoes_the_whole_transaction_and_the_next_one_goes_well(house, shortly):
    def add(*names):
        with shortly() as connection:
            for name in names:
                connection.execute(ADD_POOL, [{"name": name, "slots": 1}])

    for number in range(TIMES):
        with pytest.raises(IntegrityError):
            add(f"new {number}", "default_pool")
        with shortly() as connection:
            assert connection.execute(select(func.count()).select_from(pool)).scalar() == 1


def test_an_error_of_the_caller_undoes_what_was_not_sent_yet(house, shortly):
    def add_and_err():
        with shortly() as connection:
            connection.execute(ADD_POOL, [{"name": "new", "slots": 1}])
            raise KeyError

    for _ in range(TIMES):
        with pytest.raises(KeyError):
            add_and_err()
    assert [row.name for row in house.store.pools.list()] == ["default_pool"]


@pytest.mark.parametrize("is_trusting", [False, True])
def test_a_compare_and_set_that_lost_is_told(house, task, shortly, is_trusting):
    house.add(task("a"), task("b"))
    house.run()
    with shortly() as connection:
        seen = [state_writes.held_from(row) for row in connection.execute(HELD).all()]
    moves = [state_writes.queue(held, AT) for held in seen]
    house.claim()  # another writer was first with both

    def write():
        with shortly(is_trusting=is_trusting) as connection:
            connection.execute(ADD_POOL, [{"name": "beside it", "slots": 1}])
            return state_writes.write_moves(connection, moves)

    for _ in range(TIMES):
        if is_trusting and not house.store.database.is_sqlite:
            with pytest.raises(LostRace):
                write()
            assert len(house.store.pools.list()) == 1
        else:
            assert write() == []
            house.store.pools.delete("beside it", now=AT, actor="user:me")
    assert set(house.states().values()) == {"running"}


def test_a_result_that_lost_a_race_is_taken_without_trust(house, task, monkeypatch):
    """A wrong view of what follows: the hop is done again, and comes to the same end."""
    house.add(task("a"), task("b", "a"), task("c", "b"))
    house.run()
    [claim] = house.claim()
    house.finish(claim, limit=1)
    [claim] = [one for one in house.store.attempts.live("worker-1") if one.state == "claimed"]
    schedule, asked = state_writes.schedule, []

    def wrong_at_first(held, *values, **named):
        asked.append(held)
        seen = held if len(asked) > 1 else state_writes.replace(held, epoch=held.epoch + 7)
        return schedule(seen, *values, **named)

    monkeypatch.setattr(state_writes, "schedule", wrong_at_first)
    finished = house.finish(claim, limit=1)

    assert not finished.outcomes[0].is_fenced
    if house.store.database.is_sqlite:  # there each is asked: the sweep finds it
        house.store.runs.advance(house.store.runs.unfinished_ids(), house.now)
        house.claim()
    assert house.states() == {"a": "success", "b": "success", "c": "running"}
    assert len(house.store.task_instances.tries("d", "r", "b")) == 1


def test_handed_out_and_claimed_by_one_write_is_told_as_two_changes(house, task):
    house.add(task("a"), task("b", "a"))
    house.run()
    [claim] = house.claim()
    before = house.store.events.last_id()
    house.finish(claim, limit=1)

    [entry] = house.store.events.since(before)
    changes = [
        (task_id, old, new, epoch) for _, task_id, _, old, new, epoch, _ in entry.detail["changes"]
    ]
    assert changes == [
        ("a", "running", "success", 1),
        ("b", "none", "scheduled", 0),
        ("b", "scheduled", "queued", 1),
        ("b", "queued", "running", 1),
    ]


def test_a_move_through_a_state_that_is_not_allowed_is_refused(house, task, shortly):
    house.add(task("a"))
    house.run()
    with shortly() as connection:
        [held] = [state_writes.held_from(row) for row in connection.execute(HELD).all()]
    queued = state_writes.queue(held, AT)
    ended = state_writes.Move(state_writes.after(queued), TaskInstanceState.SUCCESS, "")

    with pytest.raises(Exception, match="cannot go from"), shortly() as connection:
        state_writes.write_moves(connection, [state_writes.joined(queued, ended)])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_text_that_postgresql_cannot_keep_is_refused_whole(house, task, shortly):
    house.add(task("a"))
    house.run()
    for _ in range(TIMES):
        with pytest.raises(DBAPIError, match="NUL"), shortly() as connection:
            connection.execute(NOTE, {"held_id": 1, "new_note": "a\0b", "new_due_at": None})
        with shortly() as connection:
            assert connection.execute(select(task_instance.c.note)).scalar() is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_psycopg_deallocates_after_a_rollback_is_prepared_again(house, task, shortly):
    def roll_back(*, is_in_part_before):
        with house.store.database.write(Locking.ROWS) as connection:
            for _ in range(7):  # psycopg prepares what it has met five times
                connection.execute(HELD).all()
            if is_in_part_before:
                connection.begin_nested().rollback()
            raise KeyError

    for number in range(12):
        with pytest.raises(KeyError):
            roll_back(is_in_part_before=number % 2)
        for _ in range(TIMES):
            with shortly() as connection:
                connection.execute(HELD).all()
                if number % 3 == 0:
                    with connection.begin_nested():
                        connection.execute(HELD).all()
                connection.exec_driver_sql("SELECT 2")
                connection.execute(HELD).all()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_prepared_stays_so_from_hop_to_hop(house, task, shortly):
    house.add(*[task(f"t{number}", *[f"t{number - 1}"] * (number > 0)) for number in range(9)])
    house.run()
    claims, counts = house.claim(), []
    while claims:
        claims = house.finish(claims[0], limit=1).claims
        with shortly() as connection:
            counts.append(
                connection.exec_driver_sql(
                    "SELECT count(*), max(prepare_time) FROM pg_prepared_statements"
                    " WHERE name LIKE 'tw%%'"
                ).one()
            )
    assert counts[4][0] > 10
    assert counts[4] == counts[5] == counts[6]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_the_server_ends_in_the_middle_is_told_as_away(house, shortly):
    newest = select(func.max(event.c.id))
    for _ in range(TIMES):
        with shortly() as connection:
            connection.execute(newest).scalar()

    def write():
        with shortly() as connection:
            connection.execute(ADD_POOL, [{"name": "gone", "slots": 1}])
            process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with house.store.database.write(Locking.NONE) as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({process})")
            connection.execute(newest).scalar()

    with pytest.raises(DatabaseAway):
        write()
    with shortly() as connection:
        connection.execute(newest).scalar()
    assert [row.name for row in house.store.pools.list()] == ["default_pool"]


def test_xcoms_of_many_results_are_written_at_once(house, task):
    from tradewind.database.values import AttemptResult, XComWrite

    house.add(*[task(f"t{number}") for number in range(6)])
    house.run()
    for claims in (house.claim()[:2], house.store.attempts.live("worker-1")[2:]):
        results = [
            AttemptResult(
                one.task_instance_id, one.epoch, one.claim_id, "success", ended_at=AT,
                xcoms=[XComWrite("k", f'"{one.task_instance_id}"')],
                rendered_fields={"number": one.task_instance_id},
            )
            for one in claims
        ]  # fmt: skip
        house.store.attempts.finish(results, house.now, house.request(4))
    with house.store.database.read() as connection:
        values = connection.execute(select(xcom.c.value)).scalars().all()
    assert sorted(values) == [f'"{id_}"' for id_ in range(1, 7)]
    assert house.run_state() == "success"
