"""The zygote's rehearsal of parsing a file."""

from __future__ import annotations

import subprocess
import sys

import msgspec
from tradewind.runtime.task.parse_messages import ParseAnswer
from tradewind.runtime.task.rehearse_parsing import rehearse_parsing
from tradewind.sdk import dag_context
from tradewind.sdk.serialized import decode

IMPORTS_AFTER_REHEARSAL = """
import sys
from pathlib import Path
from tradewind.runtime.task import zygote
zygote.preimport()
from tradewind.runtime.task.client import SocketRuntime
from tradewind.runtime.task.parse import parse
from tradewind.runtime.task.parse_messages import ParseRequest
before = set(sys.modules)
answer = parse(ParseRequest(sys.argv[1], "sales.py", []), None)
assert not answer.error, answer.error
print(*sorted(name for name in set(sys.modules) - before if not name.startswith("unusual")))
"""


def test_the_rehearsed_dag_is_read_whole():
    answer = msgspec.msgpack.decode(rehearse_parsing(), type=ParseAnswer)

    [dag] = [decode(one.serialized) for one in answer.dags]
    assert {task.task_id for task in dag.tasks} == {"bash", "extract", "group.extract"}
    assert dag_context.current_file() is None


def test_a_parser_child_imports_nothing_that_the_zygote_could_have_imported(tmp_path):
    path = tmp_path / "sales.py"
    path.write_text(
        "from datetime import datetime\n"
        "from airflow.sdk import DAG, task\n\n"
        "@task\ndef f(i):\n    return i\n\n"
        "with DAG('sales', start_date=datetime(2025, 1, 1), schedule='@daily'):\n    f(1)\n"
    )

    printed = subprocess.run(
        [sys.executable, "-c", IMPORTS_AFTER_REHEARSAL, str(path)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert printed.split() == []
