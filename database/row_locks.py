"""Locks on rows, for transactions that run side by side on PostgreSQL (``Locking.ROWS``).

Always in this order: rows of ``dag``, of ``pool``, of ``task_instance``; each kind in the order
of its key. Who decides about a DAG's runs holds its row, so that two results of one run see each
other, and limits of the DAG are counted once. Who hands out holds all pools (``queueing.py``):
limits of pools and of the whole house are counted once. Task instances are handed out and
claimed with SKIP LOCKED, which waits for nobody. SQLite has one writer: nothing is to be locked.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, select

from .tables import dag, dag_run, task_instance

_DAGS_OF_RUNS = (
    select(dag.c.dag_id)
    .where(
        dag.c.dag_id.in_(
            select(dag_run.c.dag_id).where(dag_run.c.id.in_(bindparam("ids", expanding=True)))
        )
    )
    .order_by(dag.c.dag_id)
    # Not FOR UPDATE: others may go on to insert rows that name the DAG.
    .with_for_update(key_share=True)
)
_DAGS_OF_INSTANCES = (
    select(dag.c.dag_id)
    .where(
        dag.c.dag_id.in_(
            select(dag_run.c.dag_id)
            .join(task_instance, task_instance.c.dag_run_id == dag_run.c.id)
            .where(task_instance.c.id.in_(bindparam("ids", expanding=True)))
        )
    )
    .order_by(dag.c.dag_id)
    .with_for_update(key_share=True)
)


def lock_dags_of_runs(connection: Connection, dag_run_ids: Collection[int]) -> None:
    """Hold the DAGs of these runs until the transaction ends."""
    if dag_run_ids and connection.dialect.name != "sqlite":
        connection.execute(_DAGS_OF_RUNS, {"ids": sorted(dag_run_ids)})


def lock_dags_of_instances(connection: Connection, task_instance_ids: Collection[int]) -> None:
    """Hold the DAGs of these task instances until the transaction ends."""
    if task_instance_ids and connection.dialect.name != "sqlite":
        connection.execute(_DAGS_OF_INSTANCES, {"ids": sorted(task_instance_ids)})
