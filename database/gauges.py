"""What is so now, as gauges: pools, executors, DAG files. All of it is read from small tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..sdk.executor_names import TRIGGERER

if TYPE_CHECKING:
    from .store import Store
    from .values import PoolRow

#: Name as Airflow calls it, value, tags.
Gauge = tuple[str, float, dict[str, str]]


def read_gauges(store: Store, now: datetime) -> list[Gauge]:
    """Return all gauges. Source: ``spec/config.md`` section 5."""
    pools = store.pools.list()
    return [*_of_pools(pools), *_of_executors(store, pools), *_of_files(store, now)]


def _of_pools(pools: Sequence[PoolRow]) -> list[Gauge]:
    found: list[Gauge] = []
    starving = executable = 0
    for pool in pools:
        taken = pool.running + pool.queued + (pool.deferred if pool.include_deferred else 0)
        is_bounded = pool.slots >= 0
        has_room = not is_bounded or taken < pool.slots
        waiting = 0 if has_room else pool.scheduled
        starving += waiting
        executable += pool.scheduled if has_room else 0
        tags = {"pool_name": pool.name}
        found += [
            ("pool.open_slots", max(0, pool.slots - taken) if is_bounded else -1, tags),
            ("pool.queued_slots", pool.queued, tags),
            ("pool.running_slots", pool.running, tags),
            ("pool.deferred_slots", pool.deferred, tags),
            ("pool.scheduled_slots", pool.scheduled, tags),
            ("pool.starving_tasks", waiting, tags),
        ]
    found.append(("scheduler.tasks.starving", starving, {}))
    found.append(("scheduler.tasks.executable", executable, {}))
    return found


def _of_executors(store: Store, pools: Sequence[PoolRow]) -> list[Gauge]:
    slots = 0
    triggerers: dict[str, int] = {}
    for worker in store.workers.list():
        if worker.executor == TRIGGERER:
            triggerers[worker.host] = worker.slots
        else:
            slots += worker.slots
    queued = sum(pool.queued for pool in pools)
    running = sum(pool.running for pool in pools)
    found: list[Gauge] = [
        ("executor.open_slots", max(0, slots - running), {}),
        ("executor.queued_tasks", queued, {}),
        ("executor.running_tasks", running, {}),
    ]
    found += [
        ("triggerer.capacity_left", capacity, {"hostname": host})
        for host, capacity in triggerers.items()
    ]
    return found


def _of_files(store: Store, now: datetime) -> list[Gauge]:
    files = store.files.load_all()
    found: list[Gauge] = [
        ("dagbag_size", sum(len(file.dag_ids) for file in files), {}),
        ("dag_processing.import_errors", sum(1 for file in files if file.error), {}),
        ("dag_processing.total_parse_time", sum(file.duration_s for file in files), {}),
    ]
    for file in files:
        tags = {"file_name": file.relative_path.removesuffix(".py").replace("/", ".")}
        age_s = (now - file.parsed_at).total_seconds()
        found += [
            ("dag_processing.last_duration", file.duration_s * 1000, tags),
            ("dag_processing.last_run.seconds_ago", max(0.0, age_s), tags),
        ]
    return found
