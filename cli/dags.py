"""``dags``: the table of its commands; each lives in the module that is named here."""

from __future__ import annotations

from .lazy_group import LazyGroup

dags = LazyGroup(
    "dags",
    {
        "list": ("dags_list:list_", "List all DAGs."),
        "list-runs": ("dags_list:list_runs", "List the runs of a DAG."),
        "list-import-errors": ("dags_list:list_import_errors", "List files that do not load."),
        "details": ("dags_list:details", "Show everything known of a DAG."),
        "state": ("dags_list:state", "Print the state of a run."),
        "report": ("dags_list:report", "Show how long each file took to parse."),
        "list-jobs": ("dags_jobs:list_jobs", "List schedulers and other services."),
        "show": ("dags_show:show", "Print the graph of a DAG as DOT, or save it."),
        "show-dependencies": (
            "dags_dependencies:show_dependencies",
            "Print how DAGs start and wait for each other.",
        ),
        "next-execution": ("dags_act:next_execution", "Print when the next runs are due."),
        "trigger": ("dags_act:trigger", "Start a run of a DAG."),
        "pause": ("dags_act:pause", "Stop making runs of a DAG."),
        "unpause": ("dags_act:unpause", "Make runs of a DAG by its schedule."),
        "clear": ("dags_clear:clear", "Let whole runs of a DAG go again."),
        "delete": ("dags_act:delete", "Delete all history of a DAG."),
        "reserialize": ("dags_act:reserialize", "Parse all files again."),
        "test": ("dags_test:test", "Run a DAG here, in memory, without a server."),
        "backfill": ("dags_backfill:backfill", "Run a DAG over a range of past dates."),
    },
    help="List, run, pause, test and backfill DAGs.",
)
