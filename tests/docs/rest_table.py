"""Writes the table of ``docs/rest-api.md`` from the operations that answer.

    python tests/docs/rest_table.py

Paths come from the routes; what differs from Airflow stands here, by operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from tradewind.webserver import api
from tradewind.webserver.api.operation import operations

#: Version and operation of Airflow's own clients (2.10.0 and 3.3.2), one a line.
_PAIRS = [
    line.split()
    for line in Path(__file__).with_name("airflow_operations.txt").read_text().splitlines()
]
AIRFLOWS: dict[int, frozenset[str]] = {
    version: frozenset(name for number, name in _PAIRS if int(number) == version)
    for version in (1, 2)
}
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rest-api.md"
BEGIN, END = "<!-- operations: begin -->", "<!-- operations: end -->"
#: Operation → what a caller notices. A version in front where it holds for one only.
DIFFERS = {
    "bulk_connections": "each entity ends for itself; at most 500 an action",
    "bulk_dag_runs": "each entity ends for itself; at most 500 an action",
    "bulk_pools": "each entity ends for itself; at most 500 an action",
    "bulk_task_instances": "each entity ends for itself; at most 500 an action",
    "bulk_variables": "each entity ends for itself; at most 500 an action",
    "clear_dag_run": "v2: `only_new` is refused",
    "clear_dag_run_partitions": "no run has a partition: nothing is ever cleared",
    "clear_dag_runs": "runs are named, not chosen by partition",
    "create_asset_event": "no partition key, no teams",
    "create_default_connections": "the 32 that guides use",
    "delete_dag_run": "a running run is 409 in both versions",
    "delete_task_instance": "409 until its run has ended",
    "delete_user": "the last admin who can log in stays: 409",
    "get_asset": "`updated_at`, and the dates of references, are when the asset became known",
    "get_asset_alias": "an alias's number is derived of its name",
    "get_assets": "`updated_at`, and the dates of references, are when the asset became known",
    "get_config": "403 unless `[api] expose_config`; sensitive values are hidden",
    "get_config_value": "403 unless `[api] expose_config`; sensitive values are hidden",
    "get_connection": "secrets in `extra` are `***` in version 1, too",
    "get_dag_runs": "v2: filters by partition find nothing; by cursor `total_entries` is null",
    "get_dag_warnings": "worked out when asked: a pool that was made is warned of no more",
    "get_dataset": "`updated_at`, and the dates of references, are when the dataset became known",
    "get_datasets": "`updated_at`, and the dates of references, are when the dataset became known",
    "get_event_log": "Tradewind's names of acts (`run.triggered`)",
    "get_event_logs": "Tradewind's names of acts (`run.triggered`); acts are not about tries",
    "get_extra_links": "addresses that the task left; only http and https",
    "get_jobs": "runners are jobs, too (`RunnerJob`); numbers are derived of names",
    "get_log": "a try that never ran is 404",
    "get_plugins": "by file and entry point: none is loaded in the web server",
    "get_providers": "what packages say of themselves: none of their code is run",
    "get_task_instances": "v2: by cursor `total_entries` is null",
    "get_hitl_detail_try_detail": "of the newest try only: what earlier ones asked is not kept",
    "get_hitl_details": "`state=awaiting_input` means deferred: that is what these tasks are",
    "get_value": "403 unless `[api] expose_config`; sensitive values are hidden",
    "get_variable": "values under secret-looking keys are `***` in version 1, too",
    "get_xcom_entry": "`deserialize` is refused: no class is made in the web server",
    "list_dag_warnings": "worked out when asked: a pool that was made is warned of no more",
    "login": "307 to the login page",
    "logout": "307; a request from another site is 403",
    "patch_connection": "`***` keeps what is stored",
    "patch_pool": "a pool cannot be renamed",
    "patch_role": "a role cannot be renamed; what is built in stays",
    "patch_variable": "`***` keeps what is stored",
    "post_dag_run": "the answer may say `running` already",
    "post_pool": "fewer than -1 slots are refused",
    "post_user": "without roles: Viewer",
    "reparse_dag_file": "for who may edit DAGs",
    "test_connection": "always 403: no code of providers runs in the web server",
    "trigger_dag_run": "a missing `logical_date` is null; no partition key",
    "wait_dag_run_until_finished": "tells an end at once; interval 0.1 to 60 s; one hour at most",
}


def rows() -> Iterator[str]:
    """Yield the lines of the table."""
    api.init_app(Flask("table"))
    yield "| operation | address | who has tried it | differs |"
    yield "|---|---|---|---|"
    for version in (1, 2):
        for one, face in sorted(operations(version), key=lambda pair: (pair[1].tag, pair[1].id)):
            tried = "client" if face.id in AIRFLOWS[version] else "ours; tests"
            path = f"/api/v{version}{face.path}"
            note = DIFFERS.get(face.id, "")
            only = re.match(r"v([12]): ", note)
            if only:
                note = note.removeprefix(only[0]) if int(only[1]) == version else ""
            yield f"| v{version} `{face.id}` | `{one.method} {path}` | {tried} | {note} |"


def left_out() -> Iterator[str]:
    """Yield a line for each version of what Airflow has and Tradewind has not."""
    for version, known in AIRFLOWS.items():
        missing = sorted(known - {face.id for _, face in operations(version)})
        have = f"{len(known) - len(missing)} of Airflow's {len(known)}"
        names = ", ".join(f"`{name}`" for name in missing)
        yield f"Version {version}: {have}" + (f"; not there: {names}" if missing else ".")
        yield ""


def table() -> str:
    """Return what stands between the marks of the document."""
    lines = list(rows())
    return "\n".join([BEGIN, "", *left_out(), *lines, "", END])


def with_table(text: str) -> str:
    """Return the document with the table as it has to be."""
    start, end = text.index(BEGIN), text.index(END) + len(END)
    return text[:start] + table() + text[end:]


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text()))
