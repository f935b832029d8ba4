"""How views reach the verbs and reads of ``control``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from ..control.services import Services


def services() -> Services:
    """Return this application's services."""
    return cast("Services", current_app.extensions["services"])
