"""``tasks``: the table of its commands; each lives in the module that is named here."""

from __future__ import annotations

from .lazy_group import LazyGroup

tasks = LazyGroup(
    "tasks",
    {
        "list": ("tasks_list:list_", "List the tasks of a DAG."),
        "test": ("tasks_test:test", "Run one task here; nothing is recorded."),
        "run": ("tasks_run:run", "Run one task of a run now."),
        "respond": ("tasks_respond:respond", "Answer a task that asks a person."),
        "clear": ("tasks_clear:clear", "Let task instances run again."),
        "state": ("tasks_list:state", "Print the state of a task instance."),
        "states-for-dag-run": ("tasks_list:states_for_dag_run", "List the states of one run."),
        "render": ("tasks_test:render", "Print the rendered template fields of a task."),
        "failed-deps": ("tasks_list:failed_deps", "Print why a task instance does not run."),
    },
    help="List, run, test, clear and inspect tasks.",
)
