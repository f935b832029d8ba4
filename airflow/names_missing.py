"""Modules of Airflow of which Tradewind has nothing yet.

They can be imported; asking one of them for a name is an ImportError that says so. A module that
gets its first name leaves this list.
"""

from __future__ import annotations

#: (package below ``airflow``, modules in it)
_MISSING = (
    ("contrib", "hooks operators"),
    ("listeners", "types"),
    (
        "operators",
        "generic_transfer smooth subdag subdag_operator",
    ),
    ("providers.standard.operators", "smooth"),
    (
        "sensors",
        "smart_sensor sql sql_sensor web_hdfs_sensor",
    ),
    ("triggers", "callback deadline testing"),
)

#: Modules of what will not come → what takes its place.
INSTEAD: dict[str, str] = {
    f"airflow.operators.{module}": "use task groups (TaskGroup, @task_group) in place of SubDAGs"
    for module in ("subdag", "subdag_operator")
}

NOT_YET: frozenset[str] = frozenset(
    f"airflow.{package}.{module}" for package, modules in _MISSING for module in modules.split()
)
