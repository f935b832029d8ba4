"""The tables of the metadata database, as SQLAlchemy Core objects, one module a subject.

Core and not the ORM: loading the ORM costs every process 65 CPU ms and 7 MB, and its unit of
work costs 9 to 13 times as much for a write. Import this package to have all of them.
"""

from __future__ import annotations

from .access import (
    access_token,
    idempotency,
    login_session,
    revoked_token,
    role,
    role_permission,
    user,
    user_role,
    webhook,
)
from .assets import (
    asset,
    asset_alias_link,
    asset_consumption,
    asset_event,
    asset_queue,
    asset_reference,
    asset_watcher,
    asset_watcher_use,
)
from .backfills import backfill, backfill_run
from .base import metadata
from .dags import dag, dag_file, dag_source, dag_tag, dag_version
from .events import event, outbox
from .favorites import dag_favorite
from .metrics import metric_counter, metric_position
from .runs import attempt, dag_run, rendered_fields, task_instance, trigger, xcom
from .settings import connection, pool, variable
from .slas import sla_record
from .workers import process, worker

__all__ = [
    "metadata",
    "access_token",
    "asset",
    "asset_alias_link",
    "asset_consumption",
    "asset_event",
    "asset_queue",
    "asset_reference",
    "asset_watcher",
    "asset_watcher_use",
    "attempt",
    "backfill",
    "backfill_run",
    "connection",
    "dag",
    "dag_favorite",
    "dag_file",
    "dag_run",
    "dag_source",
    "dag_tag",
    "dag_version",
    "event",
    "idempotency",
    "login_session",
    "metric_counter",
    "metric_position",
    "outbox",
    "pool",
    "process",
    "rendered_fields",
    "revoked_token",
    "role",
    "role_permission",
    "sla_record",
    "task_instance",
    "trigger",
    "user",
    "user_role",
    "variable",
    "webhook",
    "worker",
    "xcom",
]
