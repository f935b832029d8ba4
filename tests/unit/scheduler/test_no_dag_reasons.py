from __future__ import annotations

import pytest
from tradewind.runtime.task.no_dag_reasons import explain_no_dag


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = 1", "no DAG object at module level"),
        ("if __name__ == '__main__':\n    DAG('x')", "under `if __name__ == '__main__':`"),
        ("@dag()\ndef etl(): ...\nif __name__ == '__main__':\n    etl()", "under `if __name__"),
        ("@dag\ndef etl(): ...", "the @dag function etl is never called"),
        ("@decorators.dag(schedule=None)\ndef etl(): ...", "etl is never called"),
        ("def make():\n    return models.DAG('x')\nmake()", "bound to a global name"),
    ],
)
def test_the_likeliest_reason_says_what_to_change(source, reason):
    assert reason in explain_no_dag(source)
