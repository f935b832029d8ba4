"""Cuts names and passwords out of addresses, before a text is written where others read it."""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-zA-Z][\w+.-]*://)[^\s/@:'\"]*:[^\s/@'\"]+@")


def cut_credentials(text: str) -> str:
    """Return *text* with ``***`` in place of ``user:password`` in each address.

    >>> cut_credentials("postgresql://u:hush@h/db is down")
    'postgresql://***@h/db is down'
    """
    return _CREDENTIALS.sub(r"\g<scheme>***@", text) if "://" in text else text
