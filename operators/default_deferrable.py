"""Where sensors wait that do not say so themselves."""

from __future__ import annotations


def is_deferrable_by_default() -> bool:
    """Return ``[operators] default_deferrable``: whether sensors wait in the triggerer."""
    from ..sdk.configuration import conf

    return conf.getboolean("operators", "default_deferrable", fallback=False)
