"""The address that the page is served at: checked before anything is started."""

from __future__ import annotations

import socket

from ..sdk.errors import TradewindError

PORT_MAX = 65_535


class AddressTaken(TradewindError):
    """The page cannot be served at this address; the text says why and what to do."""


def check_address(host: str, port: int) -> None:
    """Make sure that the page can be served at *host* and *port*.

    Raises:
        AddressTaken: another process serves there, or the machine has no such address.
    """
    try:
        if not 1 <= port <= PORT_MAX:
            raise OSError(f"a port is a number from 1 to {PORT_MAX}")
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise AddressTaken(
            f"The page cannot be served at {shown_address(host, port)}: "
            f"{error.strerror or error}. Choose another port or host: --port 8090, "
            "or TRADEWIND__API__PORT=8090 and TRADEWIND__API__HOST"
        ) from None


def shown_address(host: str, port: int) -> str:
    """Return host and port as in a URL: an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
