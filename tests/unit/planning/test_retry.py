from datetime import UTC, datetime

import pytest
from tradewind.planning.retry import retry_delay
from tradewind.sdk.serialized import SerializedTask

DATE = datetime(2024, 1, 1, tzinfo=UTC)


def delay_s(try_number: int, logical_date: datetime | None = DATE, **fields) -> float:
    task = SerializedTask("t", "PythonOperator", **fields)
    delay = retry_delay(dag_id="d", task=task, logical_date=logical_date, try_number=try_number)
    return delay.total_seconds()


@pytest.mark.parametrize(
    ("multiplier", "logical_date", "expected"),
    [
        (2.0, DATE, [521, 817, 1518, 4341, 86400]),
        (3.0, DATE, [521, 1717, 3618, 9141, 86400]),
        (2.0, None, [313, 890, 1398, 3428, 86400]),
    ],
)
def test_back_off_gives_the_numbers_of_airflow(multiplier, logical_date, expected):
    """Checkable example 2.3: after tries 1, 2, 3, 4 and 10."""
    found = [
        delay_s(n, logical_date, retry_exponential_backoff=multiplier) for n in (1, 2, 3, 4, 10)
    ]

    assert found == expected


@pytest.mark.parametrize("multiplier", [0.0, 1.0])
def test_without_back_off_the_delay_is_the_tasks_own_and_has_no_cap(multiplier):
    fields = {"retry_delay_s": 200_000.0, "retry_delay_max_s": 5.0}

    assert delay_s(7, retry_exponential_backoff=multiplier, **fields) == 200_000


def test_back_off_obeys_the_tasks_own_maximum():
    assert delay_s(4, retry_exponential_backoff=2.0, retry_delay_max_s=60.0) == 60


def test_back_off_waits_a_second_at_least():
    assert delay_s(1, retry_exponential_backoff=2.0, retry_delay_s=0.0) == 1


def test_a_delay_beyond_all_numbers_is_the_maximum():
    assert delay_s(100_000, retry_exponential_backoff=2.0) == 86_400
