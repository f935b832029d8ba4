"""Access tokens (JWT) of version 2. Source: ``spec/rest-api.md`` section 2, ``security.md`` 3."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt

from ...sdk.configuration import conf
from ...sdk.errors import TradewindError

if TYPE_CHECKING:
    from ...database.values import UserRow

ALGORITHM = "HS512"
AUDIENCE = "apache-airflow"
KEY_BYTES_MIN = 32
REQUIRED = ["sub", "jti", "exp", "nbf", "iat", "aud"]


def make_token(user: UserRow, now: datetime, *, is_cli: bool = False) -> str:
    """Return a token that stands for *user* until it expires or the password changes."""
    name = "jwt_cli_expiration_time" if is_cli else "jwt_expiration_time"
    claims = {
        "sub": user.username,
        "jti": uuid.uuid4().hex,
        "aud": _audience(),
        "nbf": now,
        "iat": now,
        "exp": now + timedelta(seconds=conf.getint("api_auth", name)),
        "fpr": user.password_fingerprint,
    }
    return jwt.encode(claims, _key(), algorithm=ALGORITHM)


def read_token(token: str, now: datetime) -> dict[str, Any] | None:
    """Return the claims of a token of ours that is valid now, else None."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(),
            algorithms=[ALGORITHM],
            audience=_audience(),
            # Times are compared below, with the clock that the rest of the program has.
            options={
                "require": REQUIRED,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        at, leeway = now.timestamp(), conf.getint("api_auth", "jwt_leeway")
        is_valid = float(claims["nbf"]) - leeway <= at < float(claims["exp"]) + leeway
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return claims if is_valid else None


def _audience() -> str:
    return str(conf.get("api_auth", "jwt_audience", fallback=None) or AUDIENCE)


def _key() -> str:
    key = str(conf.get("api_auth", "jwt_secret"))
    if len(key.encode()) < KEY_BYTES_MIN:
        raise TradewindError(f"[api_auth] jwt_secret needs {KEY_BYTES_MIN} bytes or more")
    return key
