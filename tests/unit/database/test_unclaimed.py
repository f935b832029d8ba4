"""What is queued and not taken: what is hinted again, and what is said about the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tradewind.database.values import WorkerIdentity
from tradewind.sdk.executor_names import read_executor_names


@pytest.fixture
def cluster(house):
    """A house whose default is Celery, and workers by name."""
    settings = house.store.settings
    names = read_executor_names(["CeleryExecutor", "LocalExecutor"])
    house.store.attempts._settings = replace(settings, executors=names)
    return house


def start_worker(house, name: str, slots: int, queues: tuple[str, ...] = ("default",)) -> None:
    identity = WorkerIdentity(name, "h", "b", 1, 1.0, "CeleryExecutor", queues, slots)
    house.store.workers.register(identity, house.now)


def overlooked(house) -> int:
    later = house.now + timedelta(seconds=1)
    return sum(len(found) for found in house.store.attempts.overlooked(later).values())


def why(house, executor: str = "", queue: str = "default") -> str:
    return house.store.attempts.why_unclaimed(executor, queue)


def test_no_more_is_hinted_again_than_there_are_free_slots(cluster, task):
    cluster.add(*(task(f"t{number}") for number in range(5)))
    cluster.run()
    assert overlooked(cluster) == 0

    start_worker(cluster, "w1", slots=1)
    start_worker(cluster, "w2", slots=2)

    assert overlooked(cluster) == 3


def test_a_worker_of_another_queue_has_no_room_for_it(cluster, task):
    cluster.add(task("t"))
    cluster.run()

    start_worker(cluster, "w1", slots=8, queues=("gpu",))

    assert overlooked(cluster) == 0


def test_a_wait_in_the_queue_says_what_is_missing(cluster):
    assert why(cluster, "KubernetesExecutor").startswith("its executor KubernetesExecutor is not")
    assert why(cluster) == "it is queued: no worker of CeleryExecutor is alive"

    start_worker(cluster, "w1", slots=1)

    assert why(cluster, queue="gpu") == "it is queued: no worker listens to queue gpu"
    assert why(cluster) == "it is queued: a worker with a free slot has been told"


def test_a_task_without_an_executor_is_claimed_by_the_default_of_the_day(house, task):
    house.add(task("t"))
    house.run()
    assert house.one("t").executor == ""

    assert [claim.task_id for claim in house.claim()] == ["t"]
