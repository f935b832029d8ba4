"""Which asset an access concerns: plain values that the compat provider names at import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class AssetDetails:
    """One asset."""

    id: str | None = None


@dataclass
class AssetAliasDetails:
    """One alias."""

    id: str | None = None
