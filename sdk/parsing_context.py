"""``get_parsing_context``: whether only one DAG of a file is wanted. Here never: hosts keep all."""

from __future__ import annotations

from typing import NamedTuple


class AirflowParsingContext(NamedTuple):
    """The one DAG and task that the file is imported for; None: for everything in it."""

    dag_id: str | None
    task_id: str | None


def get_parsing_context() -> AirflowParsingContext:
    """Return that the file is imported for everything in it.

    A task host imports a file once and forks all its tasks from there, so that a file which
    made only the DAG of one task would lack the others.
    """
    return AirflowParsingContext(dag_id=None, task_id=None)
