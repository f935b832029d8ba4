"""Step: decide what becomes of running dag runs.

Results are decided upon where they are written, by the runner. Here come the runs whose time has
come (a retry, a time-out), and in sweeps a slice of all running ones: whatever a lost bell or a
crash between two transactions left behind is found within a few sweeps.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..runtime.supervise.outages import DATABASE_AWAY
from .step import Store, Tick

log = logging.getLogger(__name__)

#: Runs looked at in one transaction, and in one sweep.
RUNS_PER_TRANSACTION = 20
RUNS_PER_SWEEP = 100

#: Task instances for which a run is left out of as many sweeps: one of ten thousand is looked
#: at in every twentieth, so that looking is never most of what the scheduler does.
INSTANCES_PER_SWEEP = 500


class AdvanceRuns:
    """A run that cannot be decided upon is held back; the others go on."""

    name = "advance runs"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._swept_id = 0  # where the last sweep ended
        self._sweeps = 0

    def run(self, tick: Tick) -> None:
        """Advance what is due; in a sweep, the next slice of all running runs too."""
        due = dict.fromkeys(self._store.runs.due_ids(tick.now))
        if tick.is_sweep:
            due.update(dict.fromkeys(self._next_slice()))
        ids = [id_ for id_ in due if not tick.quarantine.is_held(f"run {id_}")]
        for start in range(0, len(ids), RUNS_PER_TRANSACTION):
            self._advance(ids[start : start + RUNS_PER_TRANSACTION], tick)

    def _next_slice(self) -> list[int]:
        unfinished = sorted(self._store.runs.unfinished_ids())
        later = [id_ for id_ in unfinished if id_ > self._swept_id]
        chosen = (later or unfinished)[:RUNS_PER_SWEEP]
        self._swept_id = chosen[-1] if len(later) > len(chosen) else 0
        self._sweeps += 1
        sizes = self._store.runs.sizes(chosen)
        return [
            id_
            for id_ in chosen
            if self._sweeps % max(1, sizes.get(id_, 0) // INSTANCES_PER_SWEEP) == 0
        ]

    def _advance(self, ids: Sequence[int], tick: Tick) -> None:
        try:
            tick.add(self._store.runs.advance(ids, tick.now))
        except DATABASE_AWAY:
            raise
        except Exception:
            if len(ids) == 1:
                held_s = tick.quarantine.hold(f"run {ids[0]}")
                log.exception("dag run %s cannot be advanced, again in %.1f s", ids[0], held_s)
                return
            for id_ in ids:  # find the one that is to blame
                self._advance([id_], tick)
        else:
            for id_ in ids:
                tick.quarantine.release(f"run {id_}")
