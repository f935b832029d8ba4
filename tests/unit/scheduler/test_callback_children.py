"""Real callback children: what callbacks see, and what they cannot break."""

from __future__ import annotations

import select
import time
from datetime import UTC, datetime

import pytest
from tradewind.runtime.supervise.log_files import TaskLog
from tradewind.runtime.supervise.processes import Reply
from tradewind.runtime.supervise.zygote_client import ZygoteClient
from tradewind.runtime.task.callback_messages import CallbackOrder
from tradewind.runtime.task.task_spec import TaskInstanceSpec
from tradewind.scheduler.callback_children import CallbackChildren
from tradewind.scheduler.delivery_journal import DeliveryJournal
from tradewind.scheduler.parse_children import ParseLimits
from tradewind.sdk.clock import WallClock

AT = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = """
from datetime import datetime
from pathlib import Path
from airflow import DAG
from airflow.operators.python import PythonOperator
from airflow.models import Variable

def write(text):
    with Path(__file__).with_name("written").open("a") as file:
        file.write(str(text) + "\\n")
"""
TAIL = """
with DAG("d", schedule=None, start_date=datetime(2024, 1, 1), on_failure_callback=dag_calls):
    PythonOperator(task_id="a", python_callable=print, on_failure_callback=task_calls)
"""


def answer(asked, scope):
    if asked.method == "get_variable":
        return Reply(value=f"{asked.arguments['key']} of {scope.task_id if scope else None}")
    return Reply(error="not here")


@pytest.fixture(scope="module")
def zygote():
    started = ZygoteClient()
    started.start()
    yield started
    started.stop()


#: So long nothing here takes, on a machine with much else to do.
PATIENCE_S = 120.0


class World:
    def __init__(self, folder, zygote, time_s=PATIENCE_S) -> None:
        self.folder = folder
        self.journal = DeliveryJournal(folder / "called")
        self.log = TaskLog(folder / "callbacks.log", WallClock())
        self.children = CallbackChildren(
            lambda: zygote,
            WallClock(),
            answer,
            journal_fd=self.journal.descriptor,
            limits=ParseLimits(time_s=time_s, memory_bytes=300 * 1024 * 1024),
        )

    def call(self, text, kind="task_failure", **fields):
        """Have the callbacks of a file called; return how the child ended."""
        path = self.folder / "d.py"
        path.write_text(f"{HEAD}\n{text}\n{TAIL}")
        run = {"run_type": "manual", "state": "failed", "logical_date": AT, "run_after": AT}
        fields.setdefault("spec", TaskInstanceSpec("d", "r", "a", try_number=2, dag_run=run))
        order = CallbackOrder(
            key="7",
            path=str(path),
            relative_path="d.py",
            import_folders=[],
            dag_id="d",
            run_id="r",
            kind=kind,
            reason="signal 9",
            **fields,
        )
        self.children.start(7, order, None, self.log)
        deadline = time.monotonic() + 2 * PATIENCE_S
        while time.monotonic() < deadline:
            select.select([self.children.fileno()], [], [], 0.1)
            for ended in self.children.poll():
                self.log.close("end")
                return ended
        pytest.fail("the child did not end")

    def written(self):
        path = self.folder / "written"
        return path.read_text().splitlines() if path.exists() else []

    def said(self):
        return (self.folder / "callbacks.log").read_text()


@pytest.fixture
def world(tmp_path, zygote):
    return World(tmp_path, zygote)


def test_a_tasks_callbacks_see_its_end_and_go_on_after_one_that_breaks(world):
    ended = world.call(
        """
def breaks(context):
    raise RuntimeError("broken")

def leaves(context):
    raise SystemExit(3)

def tells(context):
    ti = context["ti"]
    write((str(ti.state), ti.try_number, str(context["exception"]), context["run_id"]))
    print("said by a callback")

dag_calls = None
task_calls = [breaks, leaves, tells]
"""
    )

    assert ended.error == ""
    assert world.written() == ["('failed', 2, 'signal 9', 'r')"]
    assert "RuntimeError: broken" in world.said()
    assert "said by a callback" in world.said()
    assert world.journal.keys() == {"7"}


@pytest.mark.parametrize(("has_task", "seen"), [(True, "['a']"), (False, "[]")])
def test_a_dags_callbacks_get_the_reason_and_a_task_where_there_is_one(world, has_task, seen):
    fields = {} if has_task else {"spec": None}
    ended = world.call(
        """
def dag_calls(context):
    tasks = [context["ti"].task_id] if "ti" in context else []
    write((context["dag"].dag_id, context["run_id"], context["reason"]))
    write(tasks)

task_calls = None
""",
        kind="dag_failure",
        **fields,
    )

    assert ended.error == ""
    assert world.written() == ["('d', 'r', 'signal 9')", seen]


def test_callbacks_may_ask_for_variables(world):
    world.call("def task_calls(context):\n    write(Variable.get('who'))\ndag_calls = None")

    assert world.written() == ["who of None"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError"),
        ("raise SystemExit(4)", "SystemExit"),
        (
            "dag_calls = None\ndef task_calls(context):\n    import os; os._exit(5)",
            "exit code 5 before all callbacks were called",
        ),
        (
            "dag_calls = None\ndef task_calls(context):\n    import os; os.kill(os.getpid(), 9)",
            "ended by signal 9",
        ),
        (
            "dag_calls = None\ndef task_calls(context):\n"
            "    import time; x = bytearray(400_000_000); time.sleep(600)",
            "more than 300 MB of memory",
        ),
        (
            "dag_calls = task_calls = None\nclass DAG(DAG):\n    def __init__(self, dag_id, **kw):"
            "\n        super().__init__('other', **kw)",
            "DAG 'd' is not in d.py any more",
        ),
    ],
)
def test_what_was_not_called_is_told_and_not_noted(world, text, said):
    ended = world.call(text)

    assert said in ended.error
    assert world.journal.keys() == set()


def test_a_callback_without_end_is_stopped(tmp_path, zygote):
    world = World(tmp_path, zygote, time_s=1.0)

    ended = world.call(
        "dag_calls = None\ndef task_calls(context):\n    import time; time.sleep(600)"
    )

    assert "longer than 1 s" in ended.error
    assert world.journal.keys() == set()


def test_a_zygote_that_dies_takes_its_child_and_another_one_follows(tmp_path):
    zygotes = []

    def make():
        made = ZygoteClient()
        made.start()
        zygotes.append(made)
        return made

    world = World(tmp_path, None)
    world.children._make_zygote = make
    dies = """
dag_calls = None
def task_calls(context):
    import os, time
    os.kill(os.getppid(), 9)
    time.sleep(30)
"""

    ended = world.call(dies)
    world.log = TaskLog(tmp_path / "callbacks.log", WallClock())
    again = world.call("dag_calls = None\ndef task_calls(context):\n    write('well')")
    world.children.stop()

    assert "the zygote has ended" in ended.error
    assert again.error == ""
    assert (len(zygotes), world.written()) == (2, ["well"])
