"""Access tokens (JWT) of version 2. Source: ``spec/rest-api.md`` section 2, ``security.md`` 3."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        "aud": _audiences()[0],
        "nbf": now,
        "iat": now,
        "exp": now + timedelta(seconds=conf.getint("api_auth", name)),
        "fpr": user.password_fingerprint,
    }
    issuer = conf.get("api_auth", "jwt_issuer", fallback=None)
    if issuer:
        claims["iss"] = issuer
    import jwt  # it brings cryptography: 4 MB, where nobody uses tokens

    keys = read_keys()
    return jwt.encode(claims, keys.signing, algorithm=keys.algorithm)


def read_token(token: str, now: datetime) -> dict[str, Any] | None:
    """Return the claims of a token of ours that is valid now, else None."""
    import jwt

    keys = read_keys()
    issuer = conf.get("api_auth", "jwt_issuer", fallback=None) or None
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            keys.verifying,
            algorithms=[keys.algorithm],
            audience=_audiences(),
            issuer=issuer,
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


def _audiences() -> list[str]:
    text = str(conf.get("api_auth", "jwt_audience", fallback=None) or AUDIENCE)
    return [one.strip() for one in text.split(",") if one.strip()]


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs tokens, and what tells that they were signed so."""

    signing: Any
    verifying: Any
    algorithm: str


def read_keys() -> Keys:
    """Return the keys that the settings name: a private key, or the secret of this install.

    Raises:
        TradewindError: the secret is too short, the file is no key, or the algorithm not for it.
    """
    path = conf.get("api_auth", "jwt_private_key_path", fallback=None)
    wanted = conf.get("api_auth", "jwt_algorithm", fallback=None)
    if path:
        return _private_keys(str(path), wanted)
    key = str(conf.get("api_auth", "jwt_secret"))
    if len(key.encode()) < KEY_BYTES_MIN:
        raise TradewindError(f"[api_auth] jwt_secret needs {KEY_BYTES_MIN} bytes or more")
    if wanted not in (None, "", "GUESS", "HS256", "HS384", "HS512"):
        raise TradewindError(f"[api_auth] jwt_algorithm {wanted} needs jwt_private_key_path")
    return Keys(key, key, wanted if wanted and wanted != "GUESS" else ALGORITHM)


@lru_cache(maxsize=4)
def _private_keys(path: str, wanted: str | None) -> Keys:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise TradewindError(f"[api_auth] jwt_private_key_path {path}: {error}") from None
    guesses = {RSAPrivateKey: "RS256", Ed25519PrivateKey: "EdDSA", EllipticCurvePrivateKey: "ES256"}
    guess = next((name for kind, name in guesses.items() if isinstance(key, kind)), None)
    algorithm = guess if wanted in (None, "", "GUESS") else wanted
    if guess is None or algorithm is None or algorithm[:2] != guess[:2]:
        raise TradewindError(f"[api_auth] jwt_algorithm {wanted} is not for the key in {path}")
    return Keys(key, key.public_key(), algorithm)
