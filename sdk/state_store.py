"""The state stores of Airflow 3.3: names that load, and say so on use.

A DAG file may declare tasks that take them; only what they would keep is not kept here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .exceptions import InvalidUseError

#: ``retention`` of what is kept for good.
NEVER_EXPIRE = timedelta.max


class MissingStateStore:
    """Stands in the context under the store's name; every use of it is one clear error."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self) -> InvalidUseError:
        return InvalidUseError(
            f"Tradewind has no {self._name} (Airflow 3.3): keep small state in a Variable"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise self._refuse()

    def __getitem__(self, key: Any) -> Any:
        raise self._refuse()
