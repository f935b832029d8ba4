"""Sends hints to the broker from a thread of its own, so that nobody waits for a slow broker.

A broker that is away costs time only: what could not be sent is kept, one hint for each hand-out
and at most ``KEPT_MAX`` of them, and sent when it is back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable

from celery import Celery
from kombu.messaging import Producer

from ..base import Hint
from .message import CLAIM_TASK, arguments_of, signing_key
from .settings import broker_url

log = logging.getLogger(__name__)

KEPT_MAX = 50_000
RETRY_MIN_S = 0.2
RETRY_MAX_S = 5.0


class HintPublisher:
    """Give it hints; its thread sends them in their order."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._key = signing_key()
        self._waiting: OrderedDict[tuple[int, int], Hint] = OrderedDict()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._is_away = False
        #: How many messages have been sent, for whoever measures.
        self.sent = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="hint publisher", daemon=True)
        self._thread.start()

    def put(self, hints: Iterable[Hint]) -> None:
        """Take hints to be sent; returns at once."""
        with self._changed:
            for hint in hints:
                self._waiting[hint.task_instance_id, hint.epoch] = hint
            while len(self._waiting) > KEPT_MAX:
                self._waiting.popitem(last=False)  # the sweep will hint it again
            self._changed.notify()

    def stop(self, grace_s: float) -> None:
        """Send what is left for *grace_s* seconds, then give it up."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(max(grace_s, 0.0) + 1.0)
            self._thread = None

    def _run(self) -> None:
        delay_s = RETRY_MIN_S
        while True:
            try:
                with self._app.connection_for_write() as connection:
                    producer = Producer(connection.channel(), serializer="json")
                    if not self._send_while_well(producer):
                        return
                    delay_s = RETRY_MIN_S
            except Exception as error:  # noqa: BLE001 - whatever a broker and its client raise
                self._report_away(error)
                if self._pause(delay_s):
                    return
                delay_s = min(2 * delay_s, RETRY_MAX_S)

    def _send_while_well(self, producer: Producer) -> bool:
        while True:
            with self._changed:
                while not self._waiting and not self._is_stopping:
                    self._changed.wait()
                if not self._waiting:
                    return False
                hint = next(iter(self._waiting.values()))
            self._send(producer, hint)
            with self._changed:
                self._waiting.pop((hint.task_instance_id, hint.epoch), None)

    def _send(self, producer: Producer, hint: Hint) -> None:
        self._app.send_task(
            CLAIM_TASK,
            args=arguments_of(self._key, hint),
            queue=hint.queue,
            producer=producer,
            ignore_result=True,
            retry=False,
        )
        self.sent += 1
        if self._is_away:
            self._is_away = False
            log.warning("the broker is back")

    def _pause(self, delay_s: float) -> bool:
        """Wait before the next try; True: it is time to give up."""
        until = time.monotonic() + delay_s
        with self._changed:
            while not self._is_stopping and (left_s := until - time.monotonic()) > 0:
                self._changed.wait(left_s)
            return self._is_stopping

    def _report_away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            log.error(
                "the broker %s does not answer ([celery] broker_url), hints wait: %s",
                broker_url(),
                " ".join(str(error).split()),
            )
