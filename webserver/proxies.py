"""Proxies in front of us: whose headers are believed, and users that they name.

``[webserver] enable_proxy_fix`` believes ``X-Forwarded-*`` for addresses and links. A user is
believed only from an address in ``[proxy_auth] trusted_proxies``, and only where
``auth_backends`` names ``proxy_header``.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from ..sdk.configuration import conf
from ..sdk.errors import TradewindError
from .auth import become, is_anybody
from .auth_backends import Backends
from .outside_users import find_or_register
from .services import services

if TYPE_CHECKING:
    from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def init_app(app: Flask) -> None:
    """Read the settings.

    Raises:
        TradewindError: an address cannot be read.
    """
    if conf.getboolean("webserver", "enable_proxy_fix"):
        hops = {
            f"x_{name}": conf.getint("webserver", f"proxy_fix_x_{name}")
            for name in ("for", "proto", "host", "prefix")
        }
        app.wsgi_app = ProxyFix(app.wsgi_app, **hops)  # type: ignore[method-assign]
    backends: Backends = app.extensions["auth_backends"]
    if backends.has_proxy_header:
        app.extensions["trusted_proxies"] = trusted_proxies()
        app.before_request(take_user_of_proxy)


def trusted_proxies() -> Sequence[Network]:
    """Return the networks whose proxies name users.

    Raises:
        TradewindError: there is none, or one cannot be read.
    """
    texts = [one.strip() for one in conf.get("proxy_auth", "trusted_proxies").split(",")]
    try:
        found = [ipaddress.ip_network(text, strict=False) for text in texts if text]
    except ValueError as error:
        raise TradewindError(f"[proxy_auth] trusted_proxies: {error}") from None
    if not found:
        raise TradewindError(
            "[proxy_auth] trusted_proxies is empty: say which proxy may name users, "
            "or take proxy_header out of [api] auth_backends"
        )
    return found


def take_user_of_proxy() -> None:
    """Let the request be done by the user whom a trusted proxy names."""
    if request.endpoint == "static" or not is_anybody():
        return
    name = request.headers.get(conf.get("proxy_auth", "user_header"), "").strip()
    if not name or not is_trusted(peer_address()):
        return
    role = conf.get("proxy_auth", "registration_role").strip()
    user = find_or_register(services(), name, role=role or None)
    if user is not None:
        become(user)
        g.is_from_proxy = True


def peer_address() -> str:
    """Return the address of whoever really talks to us, whatever headers say."""
    before = request.environ.get("werkzeug.proxy_fix.orig") or {}
    return str(before.get("REMOTE_ADDR") or request.environ.get("REMOTE_ADDR") or "")


def is_trusted(address: str) -> bool:
    """Tell whether a proxy at *address* may name users."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    networks = cast("Sequence[Network]", current_app.extensions["trusted_proxies"])
    return any(found in network for network in networks)
