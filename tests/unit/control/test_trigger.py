from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.control.input import InvalidInput
from tradewind.control.trigger import trigger_dag
from tradewind.database.errors import DagInactive, DagNotFound, DagRunExists
from tradewind.sdk.serialized import SerializedParam

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
PARAM = SerializedParam(name="n", default=1, schema={"type": "integer", "minimum": 1})


def test_a_dag_of_airflow_2_gets_now_as_its_logical_date(services, add_dag):
    add_dag(dialect="2")

    run = trigger_dag(services, "sales")

    assert (run.run_id, run.logical_date) == ("manual__2024-06-01T12:00:00+00:00", NOW)
    assert (run.data_interval_start, run.data_interval_end) == (
        datetime(2024, 5, 31, tzinfo=UTC),
        datetime(2024, 6, 1, tzinfo=UTC),
    )


def test_a_dag_of_airflow_3_gets_no_logical_date_unless_one_is_given(services, add_dag):
    add_dag(dialect="3")
    date = datetime(2024, 3, 1, 1, 2, 3, 456, tzinfo=UTC)

    assert trigger_dag(services, "sales").logical_date is None
    assert trigger_dag(services, "sales", run_id="r2", logical_date=date).logical_date == (
        date.replace(microsecond=0)
    )


def test_the_run_records_who_started_it_and_with_what(services, add_dag):
    add_dag(params=[PARAM])

    run = trigger_dag(services, "sales", conf={"n": 3, "extra": True}, note="again")

    assert (run.triggering_user, run.external_trigger, run.triggered_by) == ("ada", True, "cli")
    assert (dict(run.conf), run.note, run.state) == ({"n": 3, "extra": True}, "again", "queued")


@pytest.mark.parametrize("conf", [{"n": 0}, {"n": "three"}])
def test_a_conf_that_does_not_fit_the_params_is_refused(services, add_dag, conf):
    add_dag(params=[PARAM])

    with pytest.raises(InvalidInput, match="Parameter 'n' of DAG 'sales' is not valid"):
        trigger_dag(services, "sales", conf=conf)

    assert services.store.runs.list("sales") == []


def test_a_param_without_default_must_be_given(services, add_dag):
    add_dag(params=[SerializedParam(name="who", has_default=False)])

    with pytest.raises(InvalidInput, match="needs a value for the parameter 'who'"):
        trigger_dag(services, "sales")


@pytest.mark.parametrize("run_id", ["with space", "a/b", "scheduled__2024-01-01", "a..b"])
def test_run_ids_that_are_reserved_or_unsafe_are_refused(services, add_dag, run_id):
    add_dag()

    with pytest.raises(InvalidInput):
        trigger_dag(services, "sales", run_id=run_id)


def test_a_taken_run_id_or_date_is_refused(services, add_dag):
    add_dag()
    date = datetime(2024, 3, 1, tzinfo=UTC)
    trigger_dag(services, "sales", run_id="mine", logical_date=date)

    with pytest.raises(DagRunExists):
        trigger_dag(services, "sales", run_id="mine")
    with pytest.raises(DagRunExists):
        trigger_dag(services, "sales", run_id="other", logical_date=date)


def test_an_unknown_dag_is_refused(services):
    with pytest.raises(DagNotFound, match="There is no DAG 'nope'"):
        trigger_dag(services, "nope")


def test_a_dag_whose_file_is_gone_is_not_started(services, add_dag):
    add_dag()
    services.store.files.forget("sales.py", NOW)

    with pytest.raises(DagInactive, match="its file is gone"):
        trigger_dag(services, "sales")

    assert services.store.runs.list("sales") == []
