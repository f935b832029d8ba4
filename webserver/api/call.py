"""One request, read and checked: what a handler works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...sdk.configuration import conf
from .errors import ApiError, InvalidField

if TYPE_CHECKING:
    from ...control.services import Services
    from ...database.store import Store
    from ...database.values import UserRow

#: "Any": stands for all DAGs, or all runs.
WILDCARD = "~"
PAGE_DEFAULT_V1 = 100
OFFSET_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Call:
    """A request for one operation. ``services`` act in the name of the user who asks."""

    version: int
    services: Services
    user: UserRow | None
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any
    accept: str

    @property
    def store(self) -> Store:
        """The store, for reads."""
        return self.services.store

    @property
    def dag_id(self) -> str:
        """The DAG that the address names."""
        return str(self.path["dag_id"])

    @property
    def run_id(self) -> str:
        """The run that the address names."""
        return str(self.path["dag_run_id"])

    @property
    def task_id(self) -> str:
        """The task that the address names."""
        return str(self.path["task_id"])

    @property
    def map_index(self) -> int:
        """The map index in the address, else in the query, else -1.

        Raises:
            ApiError: there can be none such.
        """
        found = self.path.get("map_index", self.query.get("map_index"))
        index = -1 if found is None else int(found)
        if index < -1 or index > OFFSET_MAX:
            raise ApiError(404, f"There is no map index {index}")
        return index

    def window(self, limit: int | None = None, offset: int | None = None) -> tuple[int, int]:
        """Return limit and offset of the page: asked for, lowered to the largest allowed.

        Raises:
            InvalidField: one of them is negative.
        """
        limit = self.query.get("limit") if limit is None else limit
        offset = (self.query.get("offset") if offset is None else offset) or 0
        largest = conf.getint("api", "maximum_page_limit")
        default = conf.getint("api", "fallback_page_limit")
        if self.version == 1:
            default = PAGE_DEFAULT_V1
            limit = limit or None
        for name, value in (("limit", limit), ("offset", offset)):
            if value is not None and value < 0:
                raise InvalidField(
                    "greater_than_equal", ("query", name), f"{name}: 0 or more is expected", value
                )
        if offset > OFFSET_MAX:
            raise InvalidField("less_than_equal", ("query", "offset"), "offset: too large", offset)
        return min(default if limit is None else limit, largest), offset

    def order(self, default: str) -> list[str]:
        """Return the fields to sort by, "-" in front for the reverse."""
        asked = self.query.get("order_by")
        if isinstance(asked, str):
            asked = [asked]
        return list(asked or [default])
