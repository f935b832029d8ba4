"""What a message to a worker says, and how it is known to be ours.

It names a task instance and the epoch of its hand-out, and is signed. Whoever can write to the
broker without the key reaches nothing; with it, no more than a hint for what the database has
queued (``spec/security.md``, 59).
"""

from __future__ import annotations

import hashlib
import hmac

from ...sdk.configuration import conf
from ..base import Hint

#: The Celery task that takes a hint, and the one by which a worker hears itself.
CLAIM_TASK = "tradewind.claim"
PING_TASK = "tradewind.ping"
#: Queues by which workers hear themselves begin with this.
PING_QUEUE_PREFIX = "tradewind.ping."


def signing_key() -> bytes:
    """Return the key that scheduler and workers share, made of ``[api] secret_key``."""
    secret = str(conf.get("api", "secret_key")).encode()
    return hmac.digest(secret, b"tradewind celery hint", hashlib.sha256)


def sign(key: bytes, task_instance_id: int, epoch: int) -> str:
    """Return the signature of one hint."""
    return hmac.new(key, f"{task_instance_id}.{epoch}".encode(), hashlib.sha256).hexdigest()


def arguments_of(key: bytes, hint: Hint) -> list[int | str]:
    """Return what a message carries."""
    return [hint.task_instance_id, hint.epoch, sign(key, hint.task_instance_id, hint.epoch)]


def is_genuine(key: bytes, arguments: object) -> bool:
    """Tell whether arguments of a message are those that ``arguments_of`` made with this key."""
    if not isinstance(arguments, (list, tuple)) or len(arguments) != 3:
        return False
    task_instance_id, epoch, signature = arguments
    if type(task_instance_id) is not int or type(epoch) is not int or type(signature) is not str:
        return False
    return hmac.compare_digest(sign(key, task_instance_id, epoch), signature)
