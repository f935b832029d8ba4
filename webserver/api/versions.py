"""Which paths belong to the API."""

from __future__ import annotations


def version_of(path: str) -> int | None:
    """Return the version of the API that a path belongs to, None: it is a page's."""
    if path == "/api/v1" or path.startswith("/api/v1/"):
        return 1
    if path.startswith(("/api/", "/auth/token", "/openapi")):
        return 2
    return None
