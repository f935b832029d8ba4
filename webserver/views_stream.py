"""What modules ask for: the stream of changes, and the same in turns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

from .auth import requires
from .events import Hub, Message, Subscription, messages_since
from .services import services

if TYPE_CHECKING:
    from flask import Flask

blueprint = Blueprint("stream", __name__)

#: Half of the server's threads: pages must be answered while readers follow.
STREAMS_MAX = 128
HEARTBEAT_S = 15.0
#: A stream ends by itself after this, and its reader comes back: who has lost the right to read
#: is found out then.
STREAM_S = 300.0
CURSOR_MAX = 2**62


def init_app(app: Flask) -> None:
    """Make this process's hub; its thread starts with the first reader."""
    app.extensions["hub"] = Hub(app.extensions["services"].store, STREAMS_MAX)
    app.before_request(note_cursor)


def note_cursor() -> None:
    """Keep where the event log ends before a page reads anything.

    The page hands it to the stream: what happened between its reading and its listening is sent.
    """
    is_page = request.method == "GET" and getattr(g, "user", None) is not None
    if is_page and not request.path.startswith(("/ui/", "/api/")) and request.endpoint != "static":
        g.event_cursor = services().store.events.last_id()


def _cursor() -> int | None:
    """Return the last event that the reader has seen; None: it begins now."""
    text = request.headers.get("Last-Event-ID") or request.args.get("since", "")
    return min(int(text), CURSOR_MAX) if text.isascii() and text.isdigit() else None


@blueprint.get("/ui/stream")
@requires("read")
def stream() -> ResponseReturnValue:
    """Send changes as they happen; 503 where too many follow already, then the page asks."""
    hub = cast(Hub, current_app.extensions["hub"])
    made = hub.subscribe()
    if made is None:
        return "Too many streams.\n", 503, {"Retry-After": "30"}
    reader, begin = made
    seen = _cursor()
    missed: list[Message] = []
    if seen is not None and seen < begin:
        begin, missed = messages_since(services().store, seen)
    answer = Response(
        _messages(
            hub, reader, begin, missed, services().clock.monotonic, g.access.dag_ids("can_read")
        ),
        mimetype="text/event-stream",
    )
    answer.headers["X-Accel-Buffering"] = "no"
    answer.call_on_close(lambda: hub.unsubscribe(reader))
    return answer


def _messages(
    hub: Hub,
    reader: Subscription,
    begin: int,
    missed: list[Message],
    read_s: Callable[[], float],
    readable: frozenset[str] | None,
) -> Iterator[str]:
    """Yield what the reader may know of; ``readable`` None: all DAGs."""
    started_s = quiet_since_s = read_s()
    try:
        yield "retry: 2000\n" + _line({"kind": "hello", "cursor": begin})
        yield from (_line(message) for message in missed)
        while read_s() - started_s < STREAM_S:
            message = reader.get(1.0)
            if message is not None and readable is not None:
                message = message if message.get("dag_id") in {None, *readable} else None
            if message is not None:
                quiet_since_s = read_s()
                yield _line(message)
            elif read_s() - quiet_since_s > HEARTBEAT_S:
                quiet_since_s = read_s()
                yield ": still here\n\n"
    finally:
        hub.unsubscribe(reader)


def _line(message: Message) -> str:
    return f"id: {message['cursor']}\ndata: {json.dumps(message)}\n\n"


@blueprint.get("/ui/changes")
@requires("read")
def changes() -> ResponseReturnValue:
    """Answer what changed since a cursor; without one only where now is."""
    cursor = _cursor()
    if cursor is None:
        return jsonify(cursor=services().store.events.last_id(), messages=[])
    newest, messages = messages_since(services().store, cursor)
    return jsonify(cursor=newest, messages=messages)
