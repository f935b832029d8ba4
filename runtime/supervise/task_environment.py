"""The environment that task processes, hosts and parsers start with: without our secrets.

Task code holds no database credentials and no keys. A task under the same user could still read
the configuration file; this keeps secrets out of ``env``, dumps and child processes.
Source: ``spec/reliability.md``, G-X8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...sdk.configuration import PREFIXES
from ...sdk.configuration_names import MOVED, SENSITIVE

_SUFFIXES = ("", "_CMD", "_SECRET")


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return *environment* without the settings that hold passwords, keys and database URLs."""
    return {name: value for name, value in environment.items() if name not in _SECRET_NAMES}


def _secret_options() -> Iterator[tuple[str, str]]:
    """Yield the options that are secret, also under the names that they had once."""
    yield from SENSITIVE
    for old, new in MOVED.items():
        if new in SENSITIVE:
            yield old


_SECRET_NAMES = frozenset(
    f"{prefix}__{section}__{key}{suffix}".upper()
    for prefix in PREFIXES
    for section, key in _secret_options()
    for suffix in _SUFFIXES
)
