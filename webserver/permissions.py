"""What each page and each operation of the API needs: the one table of who may go where.

A need is a permission of Airflow's; all needs of a route have to be met. "DAGs" and "DAG Runs"
are asked for the DAG in the address, so a role with ``can_read`` on ``DAG:sales`` meets them
there. Source: ``spec/security.md`` section 2; Airflow's FAB auth manager for what belongs
together. A test walks all routes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..control.access import CREATE, DELETE, EDIT, READ, Access
from ..control.permissions import Permission

Needs = Sequence[Permission]

#: What a view asks for in one word, and what that is where the tables below say nothing else.
WORDS: Final[Mapping[str, Needs]] = {
    "read": [(READ, "Website")],
    "edit": [(EDIT, "DAGs")],
    "operate": [(READ, "Configurations")],
    "audit": [(READ, "Audit Logs")],
    "administer": [(EDIT, "Users")],
}
_READ_DAG: Final = (READ, "DAGs")
_EDIT_DAG: Final = (EDIT, "DAGs")
_READ_INSTANCE: Final = (_READ_DAG, (READ, "DAG Runs"), (READ, "Task Instances"))
_READ_RUN: Final = (_READ_DAG, (READ, "DAG Runs"))

#: Pages, by endpoint.
PAGES: Final[Mapping[str, Needs]] = {
    "dags.index": [_READ_DAG],
    "dag.runs": _READ_RUN,
    "dag.calendar": _READ_RUN,
    "dag.code": [_READ_DAG, (READ, "DAG Code")],
    "dag.events": [_READ_DAG, (READ, "Audit Logs")],
    "runs.show": _READ_INSTANCE,
    "graphs.of_run": _READ_INSTANCE,
    "durations.of_dag": _READ_RUN,
    "durations.of_task": _READ_INSTANCE,
    "asset_pages.index": [(READ, "Assets")],
    "asset_pages.datasets": [(READ, "Assets")],
    "asset_pages.show": [(READ, "Assets")],
    "asset_pages.event_form": [(CREATE, "Assets")],
    "asset_pages.post_event": [(CREATE, "Assets")],
    "timeline.index": _READ_INSTANCE,
    "timeline.forecast": _READ_RUN,
    "gantts.show": _READ_INSTANCE,
    "runs.details": _READ_RUN,
    "runs.code": [_READ_DAG, (READ, "DAG Code")],
    "runs.events": [_READ_DAG, (READ, "Audit Logs")],
    "task_instances.show": _READ_INSTANCE,
    "task_instances.download": [*_READ_INSTANCE, (READ, "Task Logs")],
    "task_instances.log_find": [*_READ_INSTANCE, (READ, "Task Logs")],
    "task_instances.log_part": [*_READ_INSTANCE, (READ, "Task Logs")],
    "browse.runs": [(READ, "DAG Runs")],
    "browse.dag_runs": [(READ, "DAG Runs")],
    "backfills.index": _READ_RUN,
    "backfills.form": [_EDIT_DAG, (CREATE, "DAG Runs")],
    "backfills.start": [_EDIT_DAG, (CREATE, "DAG Runs")],
    "backfills.act": [_EDIT_DAG, (EDIT, "DAG Runs")],
    "triggering.form": [_EDIT_DAG, (CREATE, "DAG Runs")],
    "triggering.trigger": [_EDIT_DAG, (CREATE, "DAG Runs")],
    "acts.clear": [_EDIT_DAG, (EDIT, "Task Instances")],
    "acts.mark": [_EDIT_DAG, (EDIT, "Task Instances")],
    "acts.mark_run": [_EDIT_DAG, (EDIT, "DAG Runs")],
    "acts.delete_run_form": [_EDIT_DAG, (DELETE, "DAG Runs")],
    "acts.delete_run": [_EDIT_DAG, (DELETE, "DAG Runs")],
    "acts.delete_dag_form": [(DELETE, "DAGs")],
    "acts.delete_dag": [(DELETE, "DAGs")],
    "import_errors.index": [(READ, "ImportError")],
    "admin.pools": [(READ, "Pools")],
    "admin.save_pool": [(CREATE, "Pools"), (EDIT, "Pools"), (DELETE, "Pools")],
    "admin.jobs": [(READ, "Jobs")],
    "admin.variables": [(READ, "Variables")],
    "admin.save_variable": [(CREATE, "Variables"), (EDIT, "Variables"), (DELETE, "Variables")],
    "admin.connections": [(READ, "Connections")],
    "admin.save_connection": [
        (CREATE, "Connections"),
        (EDIT, "Connections"),
        (DELETE, "Connections"),
    ],
    "admin.configuration": [(READ, "Configurations")],
    "admin.audit": [(READ, "Audit Logs")],
    "people.users": [(READ, "Users")],
    "people.roles": [(READ, "Roles")],
    "people.save_role": [(CREATE, "Roles"), (EDIT, "Roles"), (DELETE, "Roles")],
    "people.save_user": [(CREATE, "Users"), (EDIT, "Users"), (DELETE, "Users")],
    "packages.providers": [(READ, "Providers")],
    "packages.plugins": [(READ, "Plugins")],
    "questions.index": [(READ, "DAG Runs"), (READ, "Task Instances")],
    "questions.form": _READ_INSTANCE,
    "questions.answer": [_EDIT_DAG, (EDIT, "Task Instances")],
    "browse.instances": [(READ, "DAG Runs"), (READ, "Task Instances")],
}

#: Operations of the API, by tag without blanks and case. Each is asked for with the action that
#: the method says; first comes what is asked of the DAG: to read it, or to edit it.
_TAGS: Final[Mapping[str, tuple[bool, Sequence[str]]]] = {
    # tag: (belongs to DAGs, resources)
    "dag": (True, []),
    "dagparsing": (True, []),
    "dagsource": (True, ["DAG Code"]),
    "dagversion": (True, ["DAG Versions"]),
    "dagwarning": (True, ["DAG Warnings"]),
    "dagstats": (True, ["DAG Runs"]),
    "dagrun": (True, ["DAG Runs"]),
    "backfill": (True, ["DAG Runs"]),
    "task": (True, ["Task Instances"]),
    "taskinstance": (True, ["DAG Runs", "Task Instances"]),
    "extralinks": (True, ["Task Instances"]),
    "humanintheloop": (True, ["Task Instances"]),
    "xcom": (True, ["XComs"]),
    "asset": (False, ["Assets"]),
    "dataset": (False, ["Assets"]),
    "config": (False, ["Configurations"]),
    "connection": (False, ["Connections"]),
    "eventlog": (False, ["Audit Logs"]),
    "importerror": (False, ["ImportError"]),
    "job": (False, ["Jobs"]),
    "permission": (False, ["Permissions"]),
    "plugin": (False, ["Plugins"]),
    "pool": (False, ["Pools"]),
    "provider": (False, ["Providers"]),
    "role": (False, ["Roles"]),
    "user": (False, ["Users"]),
    "variable": (False, ["Variables"]),
    "accesstoken": (False, []),
    "webhook": (False, []),
}
_ACTIONS: Final = {
    "GET": READ,
    "HEAD": READ,
    "POST": CREATE,
    "PUT": EDIT,
    "PATCH": EDIT,
    "DELETE": DELETE,
}
_EDIT_INSTANCES: Final = (_EDIT_DAG, (EDIT, "DAG Runs"), (EDIT, "Task Instances"))
#: Operations whose method or tag tells something else than what they do.
_OPERATIONS: Final[Mapping[str, Needs]] = {
    "get_log": [*_READ_INSTANCE, (READ, "Task Logs")],
    "get_external_log_url": [*_READ_INSTANCE, (READ, "Task Logs")],
    "post_clear_task_instances": _EDIT_INSTANCES,
    "post_set_task_instances_state": _EDIT_INSTANCES,
    "clear_dag_run": [_EDIT_DAG, (EDIT, "DAG Runs")],
    "reparse_dag_file": [_EDIT_DAG],
    "materialize_asset": [(READ, "Assets"), (CREATE, "DAG Runs")],
    "delete_dag": [(DELETE, "DAGs")],
    "bulk_connections": [(one, "Connections") for one in (CREATE, EDIT, DELETE)],
    "bulk_pools": [(one, "Pools") for one in (CREATE, EDIT, DELETE)],
    "bulk_variables": [(one, "Variables") for one in (CREATE, EDIT, DELETE)],
    "bulk_task_instances": [*_EDIT_INSTANCES, (DELETE, "Task Instances")],
}


class Unguarded(LookupError):
    """A route has no entry in the tables: it cannot be served."""


def needs_of_page(endpoint: str, word: str, *, has_dag: bool) -> Needs:
    """Return what a page needs.

    Args:
        word: what its view asks for, taken where the tables have no entry.
        has_dag: its address names a DAG.
    """
    if endpoint in PAGES:
        return PAGES[endpoint]
    needs = list(WORDS[word])
    if word == "read" and has_dag:
        needs.append(_READ_DAG)
    return needs


def needs_of_operation(operation_id: str, tag: str, method: str, word: str) -> Needs:
    """Return what an operation of the API needs.

    Args:
        word: "read": a POST that only looks something up.

    Raises:
        Unguarded: the tables have no entry for its tag.
    """
    if operation_id in _OPERATIONS:
        return _OPERATIONS[operation_id]
    known = _TAGS.get(tag.replace(" ", "").lower())
    if known is None:
        raise Unguarded(f"{operation_id}: the tag {tag!r} has no entry in permissions.py")
    of_dags, resources = known
    action = READ if word == "read" else _ACTIONS[method]
    needs = [(action, resource) for resource in resources]
    if of_dags:
        needs.insert(0, _READ_DAG if action == READ else _EDIT_DAG)
    return needs or WORDS[word]


def missing(access: Access, needs: Needs, dag_id: str | None) -> Permission | None:
    """Return the first need that *access* does not meet, None: it meets all.

    Args:
        dag_id: the DAG in the address; None: there is none, or all are meant. Then one DAG that
            is permitted is enough: the others are cut out of what is answered.
    """
    for action, resource in needs:
        if resource == "DAGs":
            is_met = access.has_on_dag(action, dag_id)
        elif resource == "DAG Runs":
            is_met = access.has_on_runs(action, dag_id)
        else:
            is_met = access.has(action, resource)
        if not is_met:
            return action, resource
    return None
