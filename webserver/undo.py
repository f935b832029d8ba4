"""Acts that can be taken back say so: the text after an act carries the form that undoes it."""

from __future__ import annotations

import json
from typing import Any

from flask import flash

CATEGORY = "undo"


def flash_with_undo(text: str, url: str, **fields: str) -> None:
    """Say that something was done, with a button that posts *fields* to *url* to take it back."""
    flash(json.dumps({"text": text, "url": url, "fields": fields}), CATEGORY)


def read_undo(message: str) -> dict[str, Any]:
    """Return text, url and fields of a message of ``flash_with_undo``."""
    found: dict[str, Any] = json.loads(message)
    return found
