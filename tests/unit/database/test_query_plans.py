"""The loop's queries use an index, so that a million finished rows cost them nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import event
from tradewind.database import dag_runs, run_starts
from tradewind.sdk.serialized import SerializedAsset

#: Tables that grow with history. The others have as many rows as there are DAGs or workers.
GROWING = (
    "dag_run",
    "task_instance",
    "attempt",
    "xcom",
    "event",
    "rendered_fields",
    "asset_event",
    "asset_consumption",
)

#: Indexes that hold unfinished rows only: to walk one of them is no scan of history.
PARTIAL = (
    "ix_dag_run_unfinished",
    "ix_dag_run_wake_at",
    "ix_task_instance_scheduled",
    "ix_task_instance_occupying",
    "ix_attempt_live",
)


@pytest.fixture
def statements(house):
    """Collect (SQL, parameters) of everything that runs."""
    seen: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, _context, executemany):
        seen.append((statement, parameters[0] if executemany else parameters))

    event.listen(house.store.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(house.store.database.engine, "before_cursor_execute", note)


def scans(house, statements):
    """Return (statement, plan line) wherever a growing table is read whole."""
    database = house.store.database
    explain, scan = ("EXPLAIN QUERY PLAN", r"SCAN (\w+)")
    found = []
    with database.write() as connection:
        if not database.is_sqlite:
            explain, scan = ("EXPLAIN", r".*Seq Scan on (\w+)")
            # Tables of three rows are scanned unless there is another way.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, parameters in list(statements):
            if not re.match(r"(SELECT|UPDATE|DELETE)", statement):
                continue
            for row in connection.exec_driver_sql(f"{explain} {statement}", parameters).all():
                line = row[-1]
                scanned = re.match(scan, line)
                is_small = any(name in line for name in PARTIAL)
                if scanned and scanned[1] in GROWING and not is_small:
                    found.append((statement, line))
    return found


def test_a_whole_life_of_a_run_scans_nothing_that_grows(house, task, statements):
    from tradewind.database.values import Started

    house.add(task("a", retries=1), task("b", "a", depends_on_past=True))
    house.run("r1", logical_date=house.now)
    house.store.dags.due(house.now)
    house.store.dags.unplanned()
    house.store.dags.next_due_at()
    house.store.runs.start_queued(house.now)
    house.store.attempts.queue(house.now)
    [claim] = house.claim()
    house.store.attempts.entered(
        [Started(claim.task_instance_id, claim.epoch, claim.claim_id, house.now)], house.now
    )
    house.finish(claim, "failed", limit=1)
    house.store.runs.next_timer_at(house.now)
    house.pass_time(seconds=3600)
    house.store.runs.advance(house.store.runs.due_ids(house.now), house.now)
    house.store.attempts.expire_claims(house.now)
    house.store.attempts.find_fenced("worker-1")
    house.store.attempts.live("worker-1")
    house.store.runs.advance(house.store.runs.unfinished_ids(), house.now)
    house.store.attempts.queue(house.now)
    for again in house.claim():
        house.finish(again, limit=1)
    house.store.workers.renew("worker-1", house.now)
    house.store.workers.declare_dead("worker-1", house.now, "gone")
    house.store.workers.expire({"worker-1": house.now - timedelta(days=1)}, house.now)
    house.store.outbox.take(house.now)

    assert len(statements) > 60
    assert scans(house, statements) == []


def test_events_of_assets_are_made_and_consumed_without_a_scan(house, task, statements):
    asset = SerializedAsset("a", "s3://a")
    expression = {"all": [{"asset": {"name": "a", "uri": "s3://a"}}, {"alias": {"name": "x"}}]}
    house.add(task("make", outlets=[asset]), dag_id="producer")
    house.add(task("use"), dag_id="consumer", asset_expression=expression)
    house.run("r1", dag_id="producer")
    [claim] = house.claim()
    made = {"name": "a", "uri": "s3://a", "extra": {}, "aliases": ["x"]}
    house.finish(claim, asset_events=[made])
    for dag_id in house.store.assets.ready_dag_ids():
        run_id = house.store.assets.create_run(dag_id, house.now)
    assert len(house.store.assets.consumed("consumer", run_id)) == 1
    house.store.assets.inactive([("a", "s3://a")])
    house.store.assets.events(name="a", uri="s3://a", is_ascending=False, limit=1)

    assert scans(house, statements) == []


def test_the_check_would_notice_a_scan(house, statements):
    with house.store.database.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM task_instance WHERE note = 'x'")

    assert len(scans(house, statements)) == 1


@pytest.mark.parametrize(
    "statement",
    [dag_runs._FIRST_START, dag_runs._NEXT_START, run_starts._QUEUED, run_starts._QUEUED_OF],
)
def test_queued_runs_are_found_among_the_unfinished(house, statement):
    """An index over the column would do, too, and lead through a million runs that have ended."""
    if not house.store.database.is_sqlite:
        pytest.skip("PostgreSQL knows how many rows are where")
    compiled = statement.params(now=house.now, dag_ids=["d"]).compile(
        dialect=house.store.database.engine.dialect,
        compile_kwargs={"render_postcompile": True},
    )
    with house.store.database.read() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {compiled}", ("2025-01-01",) * str(compiled).count("?")
        ).all()
    [way] = [row[-1] for row in plan if re.search(r"\bdag_run\b", row[-1])]
    assert "ix_dag_run_unfinished" in way
