"""``[api] auth_backends``: which credentials the API takes, by Airflow's names.

A list of module paths or their last parts. Tokens of ``/auth/token`` and personal tokens are
taken unless all is denied. Source: ``spec/rest-api.md`` section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..sdk.configuration import conf
from ..sdk.errors import TradewindError

if TYPE_CHECKING:
    from flask import Flask

#: Both kinds, where nobody has set anything: scripts of both generations work at once.
DEFAULT = ("basic_auth", "session")
KNOWN = ("basic_auth", "session", "deny_all", "default", "proxy_header")


@dataclass(frozen=True, slots=True)
class Backends:
    """What the settings allow. ``default`` of Airflow asks for nothing: it stands for reading
    by the role of anybody (``auth_role_public``), which has no rights until somebody says so."""

    has_basic: bool
    has_session: bool
    has_proxy_header: bool
    denies_all: bool


def init_app(app: Flask) -> None:
    """Read the setting.

    Raises:
        TradewindError: it names a backend that we do not have.
    """
    app.extensions["auth_backends"] = read_backends()


def read_backends() -> Backends:
    """Return what the settings allow.

    Raises:
        TradewindError: a backend is named that we do not have.
    """
    value, source = conf.find("fab", "auth_backends")
    named = [one.strip() for one in (value or "").split(",") if one.strip()]
    names = DEFAULT if source == "default" else tuple(one.rpartition(".")[2] for one in named)
    for name, path in zip(names, named or names, strict=False):
        if name not in KNOWN:
            raise TradewindError(
                f"[api] auth_backends: there is no {path!r}; use {', '.join(KNOWN)}"
            )
    return Backends(
        has_basic="basic_auth" in names,
        has_session="session" in names,
        has_proxy_header="proxy_header" in names,
        denies_all="deny_all" in names,
    )
