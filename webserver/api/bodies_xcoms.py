"""What may stand in the body of a request about XComs, and about what tasks ask people."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, field

from .bodies import Body


class XComCreate(Body, kw_only=True):
    """A new XCom."""

    key: Annotated[str, Meta(min_length=1, max_length=512)]
    value: Any
    map_index: Annotated[int, Meta(ge=-1, le=2**31 - 1)] = -1


class XComUpdate(Body, kw_only=True):
    """The new value of an XCom."""

    value: Any
    map_index: Annotated[int, Meta(ge=-1, le=2**31 - 1)] = -1


class UpdateHITLDetailPayload(Body, kw_only=True):
    """An answer to what a task asks."""

    chosen_options: Annotated[list[str], Meta(min_length=1, max_length=1000)]
    params_input: dict[str, Any] = field(default_factory=dict)
