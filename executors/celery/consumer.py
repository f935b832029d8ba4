"""The part of a worker that listens to the broker: Celery's own consumer, and nothing that runs.

A few threads forward what arrives to the runner beside this process and acknowledge once it holds
the claim. A message that finds no room goes back to the broker after a while, for others to hear.
The consumer rings itself through the broker; one that has grown deaf ends, and is started anew.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning, Reject
from celery.platforms import SecurityWarning
from kombu.entity import Queue

from ...runtime.supervise.hint_desk import BUSY, ask_runner
from ..base import Hint
from .app import make_app, node_name
from .message import CLAIM_TASK, PING_QUEUE_PREFIX, PING_TASK, is_genuine, signing_key
from .publisher import HintPublisher

log = logging.getLogger(__name__)

#: Threads that forward: so many claims may be asked for at once. A claim takes milliseconds.
FORWARDERS = 4
#: How long a message waits for a slot here before it goes back for others to hear, in seconds.
HOLD_S = 5.0
PING_INTERVAL_S = 5.0
#: Deaf for so long, the consumer is made anew.
DEAF_S = 15.0
#: A ping queue that nobody listens to any more vanishes by itself.
PING_QUEUE_EXPIRES_S = 60.0
DEAF_EXIT_CODE = 75


@dataclass(frozen=True, slots=True)
class ConsumerPlan:
    """What a worker listens to, and where its runner's desk is."""

    queues: tuple[str, ...]
    desk: Path
    name: str | None = None  # as Celery shows the worker; None: celery@HOST


def run_consumer(plan: ConsumerPlan) -> int:
    """Listen until SIGTERM, or until somebody shuts the worker down through Celery: then 0."""
    app = make_app()
    ping_queue = f"{PING_QUEUE_PREFIX}{uuid.uuid4()}"
    app.conf.task_queues = [
        *(Queue(name) for name in plan.queues),
        Queue(ping_queue, auto_delete=True, expires=PING_QUEUE_EXPIRES_S),
    ]
    app.conf.task_create_missing_queues = True  # queues that are added while it runs
    _add_claim_task(app, plan.desk)
    publisher = HintPublisher(app)
    publisher.start()
    threading.Thread(
        target=_pass_on, args=(app, plan.desk, publisher), name="pass on", daemon=True
    ).start()
    # Celery warns root of messages that carry code; ours are JSON, and name what may be claimed.
    warnings.simplefilter("ignore", SecurityWarning)
    # And of tasks that a lost connection does not cancel: ours run elsewhere, and are not to be.
    warnings.simplefilter("ignore", CPendingDeprecationWarning)
    watch = HearingWatch(app, ping_queue)
    watch.start()
    for handler in logging.getLogger().handlers:
        handler.addFilter(_worth_a_line)
    worker = app.Worker(
        hostname=node_name(plan.name),
        pool="threads",
        concurrency=FORWARDERS,
        prefetch_multiplier=1,
        loglevel="WARNING",
        quiet=True,
        # Who is alive, the database knows. Gossip between a thousand workers would be half a
        # million deliveries a second, and a greeting from each at every start.
        without_mingle=True,
        without_gossip=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Leave out what is no news, and the traceback of what Celery expects and survives."""
    if record.name.startswith(("celery", "kombu")) and record.exc_info:
        error = record.exc_info[1]
        if isinstance(error, Reject):
            return False  # no room just now: a full worker's daily life
        record.msg, record.args = f"{record.getMessage().splitlines()[0]} ({error})", ()
        record.exc_info = record.exc_text = None
    return True


def _add_claim_task(app: Celery, desk: Path) -> None:
    key = signing_key()

    def claim(*arguments: Any) -> None:
        if not is_genuine(key, arguments):
            log.warning("a message that is not signed with [api] secret_key was thrown away")
            return
        asked_s = time.monotonic()
        if ask_runner(desk, int(arguments[0]), HOLD_S) != BUSY:
            return
        # A runner that is just starting must not have the message spin.
        time.sleep(max(0.0, min(0.5, HOLD_S - (time.monotonic() - asked_s))))
        raise Reject("no room here", requeue=True)

    app.task(name=CLAIM_TASK, acks_late=True, ignore_result=True)(claim)


def _pass_on(app: Celery, desk: Path, publisher: HintPublisher) -> None:
    """Tell the runner which queues are heard here, and send what it has queued for others."""
    while True:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.connect(str(desk))
                _take_hints(line, publisher, lambda: queues_heard(app))
        except (OSError, ValueError):
            time.sleep(0.2)  # the runner is (re)starting


def _take_hints(
    line: socket.socket, publisher: HintPublisher, queues: Callable[[], list[str]]
) -> None:
    said: list[str] = []
    partial = b""
    line.settimeout(PING_INTERVAL_S)
    while True:
        heard = queues()
        if heard != said:
            said = heard
            line.sendall(json.dumps({"queues": heard}).encode() + b"\n")
        try:
            data = line.recv(256 * 1024)
        except TimeoutError:
            continue
        if not data:
            raise ConnectionError("the runner hung up")
        *texts, partial = (partial + data).split(b"\n")
        for text in texts:
            publisher.put(Hint(*hint) for hint in json.loads(text)["hints"])


def queues_heard(app: Celery) -> list[str]:
    """Return the queues that a worker listens to now, without those by which it hears itself."""
    names = app.amqp.queues.consume_from
    return sorted(name for name in names if not name.startswith(PING_QUEUE_PREFIX))


class HearingWatch:
    """Rings this worker through the broker, and ends the process when it does not hear it.

    A connection that is half open, or a consumer that survived its broker's restart without
    listening again, looks healthy from within: only a message that comes round proves it is well.
    """

    def __init__(self, app: Celery, queue: str) -> None:
        self._app = app
        self._queue = queue
        self._heard_s = time.monotonic()
        self._sent_s = time.monotonic()
        app.task(name=PING_TASK, acks_late=False, ignore_result=True)(self._hear)

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="hearing watch", daemon=True).start()

    def _hear(self, *_arguments: Any) -> None:
        self._heard_s = time.monotonic()

    def _run(self) -> None:
        while True:
            time.sleep(PING_INTERVAL_S)
            try:
                self._app.send_task(PING_TASK, queue=self._queue, retry=False, ignore_result=True)
            except Exception:  # noqa: BLE001 - the broker is away: nothing to be heard
                self._heard_s = time.monotonic()
                continue
            if time.monotonic() - self._heard_s > DEAF_S:
                log.error("the broker answers, but this worker hears nothing: it is started anew")
                logging.shutdown()
                os._exit(DEAF_EXIT_CODE)
