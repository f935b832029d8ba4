"""One suite that every executor passes: it hands over work, and never fails for a hint."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tradewind.executors.base import AttemptKey, Executor, Hint
from tradewind.executors.fake import FakeExecutor
from tradewind.executors.loading import make_executor
from tradewind.executors.local import LocalExecutor
from tradewind.sdk.configuration import reset

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))

from redis_server import running_redis

KEY = AttemptKey(task_instance_id=1, epoch=1)


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with running_redis() as server:
        yield server.url()


@pytest.fixture(params=["fake", "local", "celery", "celery without its broker", "import path"])
def executor(request, tmp_path, monkeypatch) -> Iterator[Executor]:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    if request.param == "local":
        from tradewind.database.migrate import migrate

        reset()
        migrate()
        made: Executor = LocalExecutor(tmp_path)
    elif request.param == "celery":
        url = request.getfixturevalue("broker_url")
        monkeypatch.setenv("TRADEWIND__CELERY__BROKER_URL", url)
        reset()
        made = make_executor("CeleryExecutor")
    elif request.param == "celery without its broker":
        monkeypatch.setenv("TRADEWIND__CELERY__BROKER_URL", "redis://127.0.0.1:1/0")
        reset()
        made = make_executor("CeleryExecutor")
    elif request.param == "import path":
        made = make_executor("tradewind.executors.fake.FakeExecutor")
    else:
        made = FakeExecutor(slots=2)
    made.start()
    yield made
    made.stop(grace_s=1)
    reset()


def test_a_hint_for_a_task_instance_that_nobody_knows_is_harmless(executor):
    executor.submit(Hint(task_instance_id=404, epoch=1, queue="default"))


def test_the_same_hint_twice_is_harmless(executor):
    hint = Hint(task_instance_id=1, epoch=1, queue="default")

    executor.submit(hint)
    executor.submit(hint)


def test_cancelling_what_does_not_run_is_harmless(executor):
    executor.cancel([KEY])
    executor.cancel([])


def test_slots_are_a_count_or_unknown(executor):
    slots = executor.slots()

    assert slots is None or slots >= 0


def test_an_executor_can_be_stopped_twice(executor):
    executor.stop(grace_s=0)
