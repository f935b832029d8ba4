from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.control import backfill
from tradewind.control.trigger import trigger_dag
from tradewind.database.errors import DagInactive, NotAllowed
from tradewind.planning.plan_runs import BackfillRefused


def _request(**fields: object) -> backfill.BackfillRequest:
    values = {
        "dag_id": "sales",
        "from_at": datetime(2024, 5, 1, tzinfo=UTC),
        "to_at": datetime(2024, 5, 3, tzinfo=UTC),
        **fields,
    }
    return backfill.BackfillRequest(**values)


def test_a_plan_names_each_interval_and_what_becomes_of_it(services, add_dag):
    add_dag()
    trigger_dag(services, "sales", logical_date=datetime(2024, 5, 2, tzinfo=UTC))

    plan = backfill.plan(services, _request())

    assert [(entry.logical_date.day, entry.action) for entry in plan] == [
        (1, "create"),
        (2, "in_flight"),
        (3, "create"),
    ]
    assert services.store.backfills.list() == []


def test_a_created_backfill_has_a_run_for_each_interval(services, add_dag):
    add_dag()

    row = backfill.create(services, _request(is_reverse=True, conf={"x": 1}))

    runs = services.store.runs.list("sales")
    assert sorted(run.run_id for run in runs) == [
        f"backfill__2024-05-0{day}T00:00:00+00:00" for day in (1, 2, 3)
    ]
    assert backfill.find_unfinished(services, "sales") == row


def test_a_second_one_is_refused_while_the_first_runs(services, add_dag):
    add_dag()
    backfill.create(services, _request())

    with pytest.raises(NotAllowed, match="not finished"):
        backfill.create(services, _request(from_at=datetime(2024, 5, 2, tzinfo=UTC)))


def test_dates_in_the_wrong_order_are_refused(services, add_dag):
    add_dag()

    with pytest.raises(BackfillRefused, match="first date lies after its last"):
        backfill.plan(services, _request(from_at=datetime(2024, 6, 1, tzinfo=UTC)))


def test_a_dag_whose_file_is_gone_is_not_backfilled(services, add_dag):
    add_dag()
    services.store.files.forget("sales.py", datetime(2024, 6, 1, tzinfo=UTC))

    with pytest.raises(DagInactive, match="its file is gone"):
        backfill.create(services, _request())
