"""Reparse: a DAG file is to be read again, though nothing of it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..database.errors import NotFound

if TYPE_CHECKING:
    from .services import Services


def reparse_file(services: Services, relative_path: str) -> None:
    """Have a file parsed as soon as possible.

    Raises:
        NotFound: there is no such file any more.
    """
    if not services.store.files.request_parse(relative_path, services.now(), services.actor):
        raise NotFound(f"There is no DAG file {relative_path!r}.")
