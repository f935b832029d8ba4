"""How a task's weight counts its relatives (semantics section 5.9)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)


class WeightRule(StrEnum):
    """``downstream`` (the default): own weight plus those of all tasks after it; ``upstream``
    likewise with the tasks before it; ``absolute``: own weight only.
    """

    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"
    ABSOLUTE = "absolute"

    @classmethod
    def is_valid(cls, weight_rule: str) -> bool:
        """Tell whether *weight_rule* names one."""
        return weight_rule in cls.all_weight_rules()

    @classmethod
    def all_weight_rules(cls) -> set[str]:
        """Return all names."""
        return {str(rule) for rule in cls}


class PriorityWeightStrategy:
    """A rule of a user's own: subclass, and give the class or an instance as ``weight_rule``."""

    def get_weight(self, ti: Any) -> int:
        """Return the weight of a task instance. Larger goes first."""
        raise NotImplementedError

    def serialize(self) -> dict[str, Any]:
        """Return what ``deserialize`` needs."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> PriorityWeightStrategy:
        """Build again from ``serialize``'s answer."""
        return cls(**data)


def clamp(weight: int) -> int:
    """Bring a weight into the range of a signed 32-bit number, which databases keep."""
    return max(INT32_MIN, min(INT32_MAX, weight))
