"""What a form may hold."""

from __future__ import annotations

from flask import abort, request


def only_fields(*names: str) -> None:
    """Refuse a form with fields that it does not have: nobody can know what they were to do."""
    unknown = set(request.form) - {"csrf_token", *names}
    if unknown:
        abort(400, f"Unknown field: {', '.join(sorted(unknown))}")
