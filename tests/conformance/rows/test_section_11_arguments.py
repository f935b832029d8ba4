"""Row 29 of section 11: arguments of DAGs that Airflow 3 refuses and Airflow 2 took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("dialect", ["2", "3"])
def test_row_29_description_and_schedule_may_stand_in_their_places(make_dag, dialect):
    dag = make_dag("d", "text", timedelta(hours=1), start_date=START, dialect=dialect)

    assert (dag.description, dag.schedule) == ("text", timedelta(hours=1))


@pytest.mark.parametrize("dialect", ["2", "3"])
@pytest.mark.parametrize("name", ["schedul", "parent_dag"])
def test_row_29_a_name_that_neither_generation_knows_is_an_error_of_both(make_dag, dialect, name):
    with pytest.raises(TypeError, match=name):
        make_dag("d", start_date=START, dialect=dialect, **{name: 1})
