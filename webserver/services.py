"""How views reach the verbs and reads of ``control``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from flask import current_app, g

if TYPE_CHECKING:
    from ..control.services import Services


def services() -> Services:
    """Return this application's services."""
    return cast("Services", current_app.extensions["services"])


def acting_services() -> Services:
    """Return the services in the name of the user who asks: the audit names that user."""
    return replace(services(), actor=f"user:{g.user.username}")
