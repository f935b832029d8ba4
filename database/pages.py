"""Cuts long lists into pieces that fit into one statement's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def pages(ids: Sequence[T], size: int = 500) -> list[Sequence[T]]:
    """Return *ids* in pieces of at most *size*."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]
