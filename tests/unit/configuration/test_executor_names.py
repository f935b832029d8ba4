from __future__ import annotations

import pytest
from tradewind.sdk.executor_names import canonical_executor


@pytest.mark.parametrize(
    ("named", "known"),
    [
        ("LocalExecutor", "LocalExecutor"),
        (" SequentialExecutor ", "LocalExecutor"),
        ("airflow.executors.local_executor.LocalExecutor", "LocalExecutor"),
        ("here:airflow.executors.local_executor.LocalExecutor", "LocalExecutor"),
        ("CeleryExecutor", "CeleryExecutor"),
    ],
)
def test_an_executor_has_one_name_however_it_is_written(named, known):
    assert canonical_executor(named) == known
