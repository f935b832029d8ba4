"""Tasks that note in a file outside the database when they began and ended.

The checks of ``chaos_invariants`` trust this file and not the product. Each mark is one line,
written by one ``write()`` to a file opened for appending, and on disk before the task goes on.
Instants are those of the machine's steady clock, so all tasks must run on one machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

START, END, CALLBACK = "START", "END", "CALLBACK"

#: One run has ``2 * width + 3`` task instances: one, then pairs side by side, then two in a row.
_DAG = """
from datetime import datetime, timedelta
import json, os, random, socket, time
from airflow.sdk import dag, task

WITNESS = {witness!r}

def mark(kind, ti, ok=True):
    line = json.dumps([kind, ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.try_number,
                       int(os.environ["TRADEWIND_CTX_EPOCH"]), os.getpid(), socket.gethostname(),
                       time.monotonic(), time.time(), ok])
    file = os.open(WITNESS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, line.encode() + b"\\n")
    os.fsync(file)
    os.close(file)

def work(ti, longest_s, answer=None):
    mark("START", ti)
    chance = random.Random(f"{{ti.run_id}} {{ti.task_id}} {{ti.try_number}}")
    time.sleep(chance.uniform(0, longest_s))
    if chance.random() < {failing}:
        mark("END", ti, False)
        raise RuntimeError("as written in its script")
    mark("END", ti)
    return answer

def failed(context):
    mark("CALLBACK", context["ti"])

@dag(schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False,
     max_active_runs=1000, max_active_tasks=10000, dag_id={dag_id!r},
     default_args=dict(retries={retries}, retry_delay=timedelta(seconds=0)))
def witness():
    @task
    def begin(ti=None):
        return work(ti, 0.05, ["begin", ti.run_id])

    @task
    def first(number, begun, ti=None):
        assert begun == ["begin", ti.run_id], begun
        return work(ti, {longest_s}, number * 7)

    @task(retries=0, on_failure_callback=failed)
    def second(number, product, ti=None):
        assert product == number * 7, product
        work(ti, {longest_s})

    @task(trigger_rule="all_done")
    def gather(ti=None):
        work(ti, 0.05)

    @task
    def last(ti=None):
        work(ti, 0.05)

    begun, gathered = begin(), gather()
    for number in range({width}):
        second.override(task_id=f"second_{{number}}")(
            number, first.override(task_id=f"first_{{number}}")(number, begun)) >> gathered
    gathered >> last()

witness()
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of the witness."""

    kind: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    epoch: int
    pid: int
    host: str
    steady_s: float
    wall_s: float
    ok: bool

    @property
    def instance(self) -> tuple[str, str, str, int]:
        """Which task instance it is of."""
        return self.dag_id, self.run_id, self.task_id, self.map_index


def witness_dag(
    dag_id: str,
    witness: Path,
    *,
    width: int = 24,
    retries: int = 20,
    longest_s: float = 0.5,
    failing: float = 0.05,
) -> str:
    """Return the text of a DAG file whose tasks write to *witness*.

    Args:
        retries: of most tasks; those named ``second_…`` have none, and a failure callback.
        longest_s: how long a task may take.
        failing: the part of tries that fail by themselves.
    """
    return _DAG.format(
        dag_id=dag_id,
        witness=str(witness),
        width=width,
        retries=retries,
        longest_s=longest_s,
        failing=failing,
    )


def instances_per_run(width: int) -> int:
    """Return how many task instances one run of a witness DAG has."""
    return 2 * width + 3


def read_marks(witness: Path) -> list[Mark]:
    """Return all marks in the order in which they were written."""
    if not witness.exists():
        return []
    return [Mark(*json.loads(line)) for line in witness.read_text().splitlines()]
