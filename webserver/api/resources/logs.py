"""Task logs: as text, as version 1's pairs, as version 2's events.

Source: ``spec/rest-api.md`` section 4 (logs). Only the path that a runner wrote into the
database is ever opened, and only below the folder of logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from flask import Response, current_app
from itsdangerous import BadSignature, URLSafeSerializer

from ....control.task_logs import LogSource, find_log
from .. import task_answers_v2 as t2
from ..call import Call
from ..errors import ApiError
from ..operation import Face, Query, operation
from .task_instances import TASK, find_instance

PAGE_BYTES = 1024 * 1024
FULL_BYTES_MAX = 32 * 1024 * 1024
_LINE = re.compile(r"\[(\d{4}-\d\d-\d\dT[\d:.]+[+-]\d{4})\] \{([^}]*)\} ([A-Z]+) - (.*)", re.DOTALL)


@operation(
    "GET",
    "read",
    v1=Face(
        "get_log",
        f"{TASK}/logs/{{task_try_number}}",
        (
            Query("full_content", "boolean", default=False),
            Query("map_index", "integer", default=-1),
            Query("token"),
        ),
        errors=(400, 404),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_log",
        f"{TASK}/logs/{{try_number}}",
        (
            Query("full_content", "boolean", default=False),
            Query("map_index", "integer", default=-1),
            Query("token"),
        ),
        answer=t2.TaskInstancesLogResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
def get_log(call: Call) -> Any:
    """Return the log of one try."""
    row = find_instance(call)
    number = int(call.path.get("task_try_number", call.path.get("try_number", 0)))
    attempts = call.store.task_instances.tries(
        call.dag_id, call.run_id, call.task_id, row.map_index
    )
    path = find_log(call.store, attempts, number)
    if path is None:
        raise ApiError(404, f"Try {number} of task instance {call.task_id!r} has no log.")
    # Whose log it is, not where: it may be shipped, or go on at another worker, meanwhile.
    whose = f"{call.dag_id}/{call.run_id}/{call.task_id}/{row.map_index}/{number}"
    start = _read_token(call.query["token"], whose)
    text, end, is_more = _read(path, start, is_full=bool(call.query["full_content"]))
    token = str(_signer().dumps([whose, end]))
    host = next((one.hostname for one in attempts if one.try_number == number), "")
    if call.version == 1:
        if "application/json" in call.accept:
            # Scripts read this with ast.literal_eval: it is the repr of (host, text) pairs.
            pairs = [(host, text)]
            return {
                "content": repr(pairs),
                "continuation_token": token or _signer().dumps([whose, end]),
            }
        return Response(text, content_type="text/plain; charset=utf-8")
    events = _events(text, host, str(path), is_first=start == 0)
    if "application/x-ndjson" in call.accept:
        lines = (msgspec.json.encode(one) + b"\n" for one in events)
        return Response(lines, content_type="application/x-ndjson")
    return t2.TaskInstancesLogResponse(
        content=list(events), continuation_token=token if is_more else None
    )


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="tradewind.api.log")


def _read_token(token: str | None, whose: str) -> int:
    if not token:
        return 0
    try:
        known, offset = _signer().loads(token)
    except (BadSignature, ValueError, TypeError):
        raise ApiError(400, "The token is not one of ours.") from None
    if known != whose:
        raise ApiError(400, "The token belongs to another log.")
    return int(offset)


def _read(path: LogSource, start: int, *, is_full: bool) -> tuple[str, int, bool]:
    """Return text from *start* in whole lines, where it ends, and whether there is more."""
    bytes_max = FULL_BYTES_MAX if is_full else PAGE_BYTES
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(min(start, size))
        data = stream.read(bytes_max)
    end = start + len(data)
    if end < size and b"\n" in data:
        data = data[: data.rindex(b"\n") + 1]
        end = start + len(data)
    return data.decode(errors="backslashreplace"), end, end < size


def _events(
    text: str, host: str, source: str, *, is_first: bool
) -> Iterator[t2.StructuredLogMessage]:
    if is_first:
        yield t2.StructuredLogMessage(event="::group::Log message source details")
        yield t2.StructuredLogMessage(event=f"{host}:{source}" if host else source)
        yield t2.StructuredLogMessage(event="::endgroup::")
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            yield t2.StructuredLogMessage(event=line)
            continue
        yield t2.StructuredLogMessage(
            timestamp=datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S.%f%z"),
            logger=found[2],
            level=found[3].lower(),
            event=found[4],
        )
