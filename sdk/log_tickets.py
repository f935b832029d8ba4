"""The signature with which a page asks a worker for one log, for a minute.

A JSON Web Token as Airflow's own log servers take it: audience ``task-instance-logs``, the path as
the claim ``filename``. Signed with a key made of ``[api] secret_key``, which all machines share.
Source: ``docs/configuration.md``, "Logs on disk".
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from .configuration import conf
from .errors import TradewindError

AUDIENCE = "task-instance-logs"
LIFETIME_S = 60
#: By so much the clocks of two machines may differ.
LEEWAY_S = 60
_ALGORITHM = "HS256"


class TicketRefused(TradewindError):
    """The signature is missing, over, or for another log. The text says which."""


def make_ticket(path: str, now: datetime) -> str:
    """Return a ticket for the log at *path*, relative to the log folder."""
    import jwt

    claims = {
        "aud": AUDIENCE,
        "filename": path,
        "iat": now,
        "exp": now + timedelta(seconds=LIFETIME_S),
    }
    return jwt.encode(claims, _key(), algorithm=_ALGORITHM)


def check_ticket(ticket: str, path: str) -> None:
    """Make sure that *ticket* opens the log at *path*.

    Raises:
        TicketRefused: it does not.
    """
    import jwt

    try:
        claims = jwt.decode(
            ticket.removeprefix("Bearer ").strip(),
            _key(),
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            leeway=LEEWAY_S,
            options={"require": ["exp", "aud"]},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        raise TicketRefused(
            "the signature is over or not yet valid: the clocks of page and worker differ"
        ) from None
    except jwt.InvalidSignatureError:
        raise TicketRefused("[api] secret_key is another one here than at the page") from None
    except jwt.PyJWTError as error:
        raise TicketRefused(f"no valid signature: {error}") from None
    if claims.get("filename") != path:
        raise TicketRefused("the signature is for another log")


def _key() -> bytes:
    secret = str(conf.get("api", "secret_key")).encode()
    return hmac.digest(secret, b"tradewind worker logs", hashlib.sha256)
