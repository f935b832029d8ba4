"""``retry_policy``: a task decides by what it raised whether, and when, it is tried again.

The policy is asked in the task's own process, where the exception is. Its delay is taken as it
is: no spread, no limits. Source: ``spec/semantics.md`` section 2.2 (Airflow 3.3).
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from .exceptions import InvalidArgumentError

ExceptionSpec = type[BaseException] | str


class RetryAction(Enum):
    """What a policy says of a failed try."""

    RETRY = "retry"
    FAIL = "fail"
    DEFAULT = "default"


@dataclass(frozen=True)
class RetryDecision:
    """One answer of a policy.

    Attributes:
        action: RETRY: while ``retries`` are left; FAIL: at once; DEFAULT: as without a policy.
        retry_delay: with RETRY, instead of the task's own.
        reason: for people; it stands in the task's log.
    """

    action: RetryAction = RetryAction.DEFAULT
    retry_delay: timedelta | None = None
    reason: str | None = None

    @classmethod
    def retry(cls, delay: timedelta | None = None, reason: str | None = None) -> RetryDecision:
        """Try again, after *delay*."""
        return cls(RetryAction.RETRY, delay, reason)

    @classmethod
    def fail(cls, reason: str | None = None) -> RetryDecision:
        """Fail now, whatever is left of ``retries``."""
        return cls(RetryAction.FAIL, None, reason)

    @classmethod
    def default(cls) -> RetryDecision:
        """Do as without a policy."""
        return cls()


class RetryPolicy(ABC):
    """Subclass, and give an instance as ``retry_policy`` of a task."""

    @abstractmethod
    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        """Return what becomes of the try that raised *exception*.

        An error of this method is logged, and counts as DEFAULT.
        """


@dataclass
class RetryRule:
    """One row of an ``ExceptionRetryPolicy``.

    Args:
        exception: a class, its dotted path, or a list of them. A path whose module the task did
            not import matches nothing: such an exception cannot have been raised.
        match_subclasses: false: the very class only.
    """

    exception: ExceptionSpec | list[ExceptionSpec]
    action: RetryAction = RetryAction.RETRY
    retry_delay: timedelta | None = None
    reason: str | None = None
    match_subclasses: bool = True

    def __post_init__(self) -> None:
        for one in self._named():
            if not isinstance(one, str) and not (
                isinstance(one, type) and issubclass(one, BaseException)
            ):
                raise InvalidArgumentError(f"a RetryRule names exceptions, not {one!r}")

    def _named(self) -> list[ExceptionSpec]:
        return self.exception if isinstance(self.exception, list) else [self.exception]

    def matches(self, exception: BaseException) -> bool:
        """Tell whether *exception* is one of those that the rule names."""
        for one in self._named():
            named = _find_class(one) if isinstance(one, str) else one
            if named is None:
                continue
            if type(exception) is named or (self.match_subclasses and isinstance(exception, named)):
                return True
        return False


class ExceptionRetryPolicy(RetryPolicy):
    """The first of *rules* that matches decides; *default* where none does."""

    def __init__(
        self, rules: Iterable[RetryRule], default: RetryAction = RetryAction.DEFAULT
    ) -> None:
        self.rules = list(rules)
        self.default = default

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        """Go through the rules in their order."""
        for rule in self.rules:
            if rule.matches(exception):
                return RetryDecision(rule.action, rule.retry_delay, rule.reason)
        return RetryDecision(self.default)


def _find_class(path: str) -> type[BaseException] | None:
    """Return the class at *path*; None where its module was never imported, or lacks it.

    Nothing is imported: what was never imported was not raised.
    """
    module_name, _, name = path.rpartition(".")
    found = getattr(sys.modules.get(module_name or "builtins"), name, None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None
