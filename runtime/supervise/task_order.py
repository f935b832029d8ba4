"""A claim, turned into what the task process is told."""

from __future__ import annotations

import msgspec

from ...database.values import Claim
from ..task.task_spec import TaskInstanceSpec

_encode = msgspec.msgpack.Encoder().encode


def spec_of(claim: Claim) -> TaskInstanceSpec:
    """Return what the task process needs of a claim; fields of one name have one meaning."""
    return TaskInstanceSpec(
        **{name: getattr(claim, name) for name in TaskInstanceSpec.__struct_fields__}
    )


def encoded_spec(claim: Claim) -> bytes:
    """Return ``spec_of`` as it goes over the wire."""
    return _encode(spec_of(claim))
