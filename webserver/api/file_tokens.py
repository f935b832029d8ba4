"""Signed names of DAG files: whoever asks by one cannot name another file."""

from __future__ import annotations

from functools import lru_cache

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from .errors import ApiError

SALT = "tradewind.api.file"


def make_file_token(relative_path: str) -> str:
    """Return the token of a file of the DAGs folder."""
    return _token(str(current_app.secret_key), relative_path)


@lru_cache(maxsize=4096)
def _token(key: str, relative_path: str) -> str:
    """A list of 100 DAGs shows 100 of them: signing them anew was a third of its time."""
    return str(URLSafeSerializer(key, salt=SALT).dumps(relative_path))


def read_file_token(token: str) -> str:
    """Return the relative path that a token stands for.

    Raises:
        ApiError: 404, it is none of ours.
    """
    try:
        return str(_signer().loads(token))
    except BadSignature:
        raise ApiError(404, "File not found") from None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt=SALT)
