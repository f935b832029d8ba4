"""Step: create the runs that the events of assets make.

``docs/reliability.md`` G-S7: a run takes what waits for its DAG in the transaction that creates it,
so each event is consumed once by each consumer, also with two schedulers.
"""

from __future__ import annotations

import logging

from ..runtime.supervise.outages import DATABASE_AWAY
from .step import Store, Tick

log = logging.getLogger(__name__)


class CreateAssetRuns:
    """At most one run of each DAG a tick; without queued events it costs one look at them."""

    name = "create asset runs"

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, tick: Tick) -> None:
        """Ask each DAG for which events wait; one that fails is held back alone."""
        for dag_id in self._store.assets.ready_dag_ids():
            key = f"assets {dag_id}"
            if tick.quarantine.is_held(key):
                continue
            try:
                run_id = self._store.assets.create_run(dag_id, tick.now)
            except DATABASE_AWAY:
                raise
            except Exception:
                held_s = tick.quarantine.hold(key)
                log.exception("no run of %s is created, again in %.1f s", dag_id, held_s)
            else:
                tick.quarantine.release(key)
                tick.changed = tick.changed or run_id is not None
