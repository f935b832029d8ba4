"""``dag.cli()``: a DAG file as a command line about its own DAG.

``python my_dag.py tasks list`` is ``tradewind tasks list my_dag -S my_dag.py``.
See ``docs/cli.md``, section 3.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from ..sdk.dag import DAG

#: Groups whose commands take the DAG id as their first argument.
GROUPS = frozenset({"dags", "tasks"})
#: Commands of these groups that are not about one DAG.
WITHOUT_DAG = frozenset({"list-import-errors", "report", "reserialize"})


def main(dag: DAG) -> NoReturn:
    """Run the command in ``sys.argv`` on *dag*, and end the process with its exit code."""
    from .main import run

    sys.exit(run(arguments_for(dag.dag_id, dag.fileloc, sys.argv[1:])))


def arguments_for(dag_id: str, path: str, given: list[str]) -> list[str]:
    """Return the whole command line for what was typed behind the file's name."""
    if len(given) < 2 or given[0] not in GROUPS or given[1].startswith("-"):
        return given
    group, command, *rest = given
    if command in WITHOUT_DAG or (group, command) == ("dags", "list"):
        return given
    return [group, command, dag_id, *rest, "--subdir", path]
