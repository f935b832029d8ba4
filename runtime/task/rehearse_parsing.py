"""Reading one DAG that does nothing, before any parser child is forked.

The first file that a process parses imports three dozen modules that no other has to: 15 CPU ms.
Done once in the zygote, no file pays for it.
"""

from __future__ import annotations

import types
import warnings

import msgspec

from ...sdk import dag_context
from ...sdk.dag import dags_of_module
from ...sdk.serialize_dag import serialize
from ...sdk.serialize_watchers import watchers_of
from ...sdk.serialized import encode
from . import recorded_inputs
from .parse_messages import AnsweredDag, ParseAnswer

_SOURCE = """
from datetime import datetime
from airflow import DAG
from airflow.operators.bash import BashOperator
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import PythonOperator
from airflow.sdk import DAG, TaskGroup, dag, task

@task
def extract(number):
    return number

with DAG("rehearsal", start_date=datetime(2026, 1, 1), schedule="@daily", catchup=False) as made:
    with TaskGroup("group"):
        last = extract(1)
    extract.expand(number=[1, 2]) >> BashOperator(task_id="bash", bash_command="true") >> last
"""


def rehearse_parsing() -> bytes:
    """Read a DAG from a text, and return it as a parser child would answer it."""
    recorded_inputs.installed_folders()
    module = types.ModuleType("rehearsal")
    code = compile(_SOURCE, "rehearsal.py", "exec", dont_inherit=True)
    with (
        warnings.catch_warnings(),
        dag_context.file_being_parsed("rehearsal.py", (_SOURCE.encode(), code)) as parsed,
    ):
        warnings.simplefilter("ignore")
        exec(code, module.__dict__)  # noqa: S102 - our own text
        dags = dags_of_module(module, parsed)
    answered = [
        AnsweredDag(
            dag.dag_id,
            encode(serialize(dag, relative_fileloc="rehearsal.py")),
            watchers_of(dag),
        )
        for dag in dags
    ]
    return msgspec.msgpack.encode(ParseAnswer(dags=answered))
