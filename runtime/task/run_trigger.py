"""Runs one trigger to its first event: in the triggerer's child, and inline in ``dag.test()``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec

from ...sdk import xcom_serialization
from ...sdk.import_string import import_string
from ...sdk.triggers import (
    FAIL_METHOD,
    FAILURE_REASON,
    TIMEOUT_REASON,
    BaseTaskEndEvent,
    BaseTrigger,
    TriggerEvent,
)
from .outcome import TRACEBACK_LENGTH_MAX, storable

log = logging.getLogger(__name__)


class TriggerReport(msgspec.Struct, tag="report", omit_defaults=True):
    """How a trigger ended. ``error``: its traceback; else ``payload``, encoded as an XCom.

    ``state``: what the event ends its task as, "" where the task goes on; ``xcoms``: key →
    encoded value and its number of elements.
    """

    trigger_id: int
    payload: str = "null"
    state: str = ""
    xcoms: dict[str, tuple[str, int | None]] = {}
    error: str = ""


class WatcherReport(msgspec.Struct, tag="watched", omit_defaults=True):
    """What a trigger that watches assets said: an event, or how it ended (``error``: traceback).

    ``payload`` is encoded as an XCom.
    """

    run_number: int
    payload: str = "null"
    has_ended: bool = False
    error: str = ""


def make_trigger(class_path: str, kwargs: str) -> BaseTrigger:
    """Build a trigger from what its ``serialize`` said.

    Raises:
        Exception: whatever its module or its constructor raise.
    """
    return import_string(class_path)(**xcom_serialization.decode(kwargs))  # type: ignore[no-any-return]


async def run_trigger(trigger_id: int, class_path: str, kwargs: str) -> TriggerReport:
    """Run a trigger until its first event; every other end of it is an error.

    Raises:
        CancelledError: the triggerer does not want it any more; it has tidied up.
    """
    try:
        trigger = make_trigger(class_path, kwargs)
        trigger.trigger_id = trigger_id
        event = await _first_event(trigger)
        if event is None:
            return TriggerReport(trigger_id, error="the trigger ended without an event")
        return _report(trigger_id, event)
    except BaseException as error:  # user code may raise anything; it is told to its task
        if isinstance(error, asyncio.CancelledError) and _is_stopped():
            raise
        return TriggerReport(trigger_id, error=_error_text())


async def run_watcher(
    run_number: int, class_path: str, kwargs: str, tell: Callable[[WatcherReport], None]
) -> WatcherReport:
    """Run a trigger that watches assets until it ends; *tell* is called with each event.

    Raises:
        CancelledError: nobody declares it any more; it has tidied up.
    """
    try:
        trigger = make_trigger(class_path, kwargs)
        trigger.trigger_id = run_number
        async with _running(trigger) as events:
            async for event in events:
                tell(WatcherReport(run_number, _payload(event)))
    except BaseException as error:  # user code may raise anything; it is told to the store
        if isinstance(error, asyncio.CancelledError) and _is_stopped():
            raise
        return WatcherReport(run_number, has_ended=True, error=_error_text())
    return WatcherReport(run_number, has_ended=True)


def _error_text() -> str:
    return storable(traceback.format_exc(), TRACEBACK_LENGTH_MAX)


def _is_stopped() -> bool:
    """Whether somebody has cancelled this trigger; else the ``CancelledError`` is its own.

    It is a failure like others then: without a report its task would wait for ever.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def run_inline(wanted: Mapping[str, Any]) -> TriggerReport:
    """Run a trigger in this process, as ``dag.test()`` does; past its timeout it is stopped.

    Args:
        wanted: class_path, kwargs, timeout_s, as a task said when it deferred itself.

    Returns:
        Its report; the ``error`` of one that was too late is ``TIMEOUT_REASON``.
    """

    async def run() -> TriggerReport:
        try:
            async with asyncio.timeout(wanted.get("timeout_s")):
                return await run_trigger(0, wanted["class_path"], wanted["kwargs"])
        except TimeoutError:
            return TriggerReport(0, error=TIMEOUT_REASON)

    return asyncio.run(run())


def how_it_goes_on(wanted: Mapping[str, Any], report: TriggerReport) -> tuple[str, str]:
    """Return the method that a task goes on at, and its arguments, encoded."""
    if report.error:
        is_late = report.error == TIMEOUT_REASON
        told = {"error": TIMEOUT_REASON if is_late else FAILURE_REASON}
        return FAIL_METHOD, json.dumps(told if is_late else {**told, "traceback": report.error})
    known = json.loads(wanted.get("next_kwargs") or "{}")
    return wanted["next_method"], json.dumps({**known, "event": json.loads(report.payload)})


async def _first_event(trigger: BaseTrigger) -> TriggerEvent | None:
    async with _running(trigger) as events:
        async for event in events:
            return event  # type: ignore[no-any-return]
        return None


@contextlib.asynccontextmanager
async def _running(trigger: BaseTrigger) -> AsyncIterator[Any]:
    """Give the events of a trigger, and have it tidy up in the end, whatever happens."""
    events: Any = trigger.run()
    try:
        yield events
    except asyncio.CancelledError as cancelled:
        if BY_USER in cancelled.args:
            await _tidy(trigger, "on_kill")
        raise
    finally:
        with contextlib.suppress(Exception):
            await events.aclose()
        await _tidy(trigger, "cleanup")


#: The message of a cancellation that a person caused (clear, mark).
BY_USER = "by user"


async def _tidy(trigger: BaseTrigger, name: str) -> None:
    method = getattr(trigger, name, None)
    if method is None:
        return
    try:
        await method()
    except Exception:
        log.exception("%s of %s failed", name, type(trigger).__name__)


def _payload(event: Any) -> str:
    said = getattr(event, "payload", event)
    return xcom_serialization.encode(said, task_id="trigger", key="event")[0]


def _report(trigger_id: int, event: Any) -> TriggerReport:
    payload = _payload(event)
    if not isinstance(event, BaseTaskEndEvent):
        return TriggerReport(trigger_id, payload)
    xcoms = {
        key: xcom_serialization.encode(value, task_id="trigger", key=key)
        for key, value in (event.xcoms or {}).items()
    }
    return TriggerReport(trigger_id, payload, str(event.task_instance_state), xcoms)
