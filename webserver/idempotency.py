"""``Idempotency-Key``: a client that heard no answer can send its write again without harm.

The same key and the same request give the answer that was given; another request with the same
key is refused. Keys belong to whoever asks, and are kept for 24 hours. Source: the IETF draft
"The Idempotency-Key HTTP Header Field".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, request

from .api.errors import ApiError
from .auth import SAFE_METHODS
from .services import services

HEADER = "Idempotency-Key"
KEY_LENGTH_MAX = 255
#: Larger answers are not kept: the write is done, and a second one is refused.
ANSWER_BYTES_MAX = 256 * 1024
_HEADERS = ("Content-Type", "Location")


def once(
    who: str, act: Callable[[], Response], refused: Callable[[ApiError], Response]
) -> Response:
    """Answer a request, or with the answer that it had before.

    Args:
        who: whose keys these are.
        refused: makes an answer of an error.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method in SAFE_METHODS:
        return act()
    if not key or len(key) > KEY_LENGTH_MAX or not key.isprintable():
        text = f"{HEADER}: 1 to {KEY_LENGTH_MAX} printable characters are expected"
        return refused(ApiError(400, text))
    store, now = services().store.idempotency, services().now()
    key_hash = _hash(who, key)
    target = request.full_path.rstrip("?")
    kept = store.begin(key_hash, _hash(request.method, target, request.get_data()), now=now)
    if kept is None:
        return _first(key_hash, act)
    if kept.is_other:
        return refused(ApiError(422, f"This {HEADER} was used for another request"))
    if kept.status is None:
        text = "The same request is being worked on, or its answer was too long to be kept"
        return refused(ApiError(409, text, {"Retry-After": "1"}))
    answer = Response(kept.body, kept.status, dict(kept.headers))
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _first(key_hash: str, act: Callable[[], Response]) -> Response:
    store = services().store.idempotency
    try:
        answer = act()
    except BaseException:
        store.release(key_hash)
        raise
    if answer.status_code >= 500 or answer.status_code in (401, 403, 409, 429):
        store.release(key_hash)  # it may go better another time
    elif not answer.is_streamed:
        body = answer.get_data()
        if len(body) <= ANSWER_BYTES_MAX:
            headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
            store.keep(key_hash, answer.status_code, headers, body)
    return answer


def _hash(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode(errors="backslashreplace")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
