"""A claim, turned into what the task process is told."""

from __future__ import annotations

from ...database.values import Claim
from ..task.task_spec import TaskInstanceSpec, encode_spec

_SHARED_FIELDS = tuple(
    name for name in TaskInstanceSpec.__struct_fields__ if name in Claim.__dataclass_fields__
)


def spec_of(claim: Claim, hostname: str) -> TaskInstanceSpec:
    """Return what the task process needs of a claim; fields of one name have one meaning."""
    shared = {name: getattr(claim, name) for name in _SHARED_FIELDS}
    return TaskInstanceSpec(**shared, hostname=hostname)


def encoded_spec(claim: Claim, hostname: str) -> bytes:
    """Return ``spec_of`` as it goes over the wire."""
    return encode_spec(spec_of(claim, hostname))
