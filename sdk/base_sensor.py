"""``BaseSensorOperator``: a task that waits until something is true (semantics section 6.1)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from .base_operator import BaseOperator
from .exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    InvalidValueError,
    TaskDeferralError,
    TaskDeferralTimeout,
)
from .timezone import utcnow

POKE, RESCHEDULE = "poke", "reschedule"
_MODES = (POKE, RESCHEDULE)


class PokeReturnValue:
    """What ``poke`` may return in place of a bool: whether it is done, and the task's result."""

    def __init__(self, is_done: Any, xcom_value: Any = None) -> None:
        self.is_done = is_done
        self.xcom_value = xcom_value

    def __bool__(self) -> bool:
        return bool(self.is_done)


class BaseSensorOperator(BaseOperator):
    """Superclass of all sensors: subclass it and define ``poke(context)``.

    Args:
        poke_interval: seconds (or a timedelta) between two pokes.
        timeout: seconds (or a timedelta) after which waiting fails, without a retry.
        soft_fail: a timeout or an AirflowFailException ends the task as skipped.
        mode: ``poke`` keeps its slot between two pokes, ``reschedule`` gives it back.
        exponential_backoff: intervals double, with some jitter.
        max_wait: the longest interval, in seconds or as a timedelta.
        silent_fail: an error in ``poke`` is logged, and counts as "not yet".
        never_fail: an error in ``poke`` ends the task as skipped.
    """

    ui_color: str = "#e6f1f2"
    valid_modes = _MODES
    #: Seams for tests: sleeping, and a steady clock in seconds.
    _sleep: Callable[[float], None] = staticmethod(time.sleep)
    _monotonic: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(
        self,
        *,
        poke_interval: timedelta | float = 60,
        timeout: timedelta | float | None = None,
        soft_fail: bool = False,
        mode: str = POKE,
        exponential_backoff: bool = False,
        max_wait: timedelta | float | None = None,
        silent_fail: bool = False,
        never_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.poke_interval = _seconds("poke_interval", poke_interval)
        self.timeout = _seconds("timeout", _default_timeout() if timeout is None else timeout)
        self.max_wait = None if max_wait is None else _seconds("max_wait", max_wait)
        if mode not in self.valid_modes:
            raise InvalidValueError(
                f"the mode of {self._name} must be one of {', '.join(self.valid_modes)}, "
                f"not {mode!r}"
            )
        if soft_fail and never_fail:
            raise ValueError(f"{self._name} cannot have both soft_fail and never_fail")
        self.mode = mode
        self.soft_fail = soft_fail
        self.exponential_backoff = exponential_backoff
        self.silent_fail = silent_fail
        self.never_fail = never_fail

    @property
    def reschedule(self) -> bool:
        """Whether the slot is given back between two pokes."""
        return self.mode == RESCHEDULE

    def poke(self, context: Any) -> bool | PokeReturnValue:
        """Look once; for subclasses."""
        raise NotImplementedError(f"{type(self).__name__} does not define poke()")

    def execute(self, context: Any) -> Any:
        started_at, elapsed_s = self._begin(context)
        poke_number = 1
        while True:
            answer = self._poke(context)
            if answer:
                self.log.info("What it waited for is there")
                return answer.xcom_value if isinstance(answer, PokeReturnValue) else None
            if elapsed_s() > self.timeout:
                self._time_out(elapsed_s())
            if self.reschedule:
                wait_s = self._reschedule_interval(started_at, elapsed_s())
                raise AirflowRescheduleException(utcnow() + timedelta(seconds=wait_s))
            self._sleep(self._interval(started_at, elapsed_s(), poke_number))
            poke_number += 1

    def _begin(self, context: Any) -> tuple[Any, Callable[[], float]]:
        """Return when waiting began, and what tells how long ago that was.

        Between reschedules only the wall clock is common; it counts from the first start that
        was rescheduled, also over retries (section 11, row 14).
        """
        if not self.reschedule:
            started_s = self._monotonic()
            return started_s, lambda: self._monotonic() - started_s
        ti = context["ti"]
        began: datetime = (
            getattr(ti, "first_reschedule_at", None) or getattr(ti, "start_date", None) or utcnow()
        )
        return began, lambda: (utcnow() - began).total_seconds()

    def _poke(self, context: Any) -> bool | PokeReturnValue:
        try:
            return self.poke(context)
        except (AirflowSensorTimeout, AirflowTaskTimeout, AirflowFailException) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(f"skipped in place of failing: {error}") from error
            raise
        except AirflowSkipException:
            raise
        except AirflowRescheduleException:
            raise
        except Exception as error:
            if self.silent_fail:
                self.log.exception("The poke failed; it is tried again")
                return False
            if self.never_fail:
                raise AirflowSkipException(f"skipped in place of failing: {error}") from error
            raise

    def _time_out(self, elapsed_s: float) -> None:
        message = (
            f"the sensor waited for {elapsed_s:.1f} s, longer than its timeout of {self.timeout} s"
        )
        if self.soft_fail:
            raise AirflowSkipException(message)
        raise AirflowSensorTimeout(message)

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any
    ) -> Any:
        """Go on after a deferral; one that took too long is the sensor's timeout (row 15)."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowSkipException:
            raise
        except TaskDeferralTimeout as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise AirflowSensorTimeout(*error.args) from error
        except (AirflowException, TaskDeferralError) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    # --- intervals ---------------------------------------------------------------------------

    def _interval(self, started_at: Any, elapsed_s: float, poke_number: int) -> float:
        """Return how many seconds to wait after the poke of this number (the first one: 1)."""
        if not self.exponential_backoff:
            return self.poke_interval
        floor_s = max(int(self.poke_interval * 2 ** min(poke_number - 2, 64)), 1)
        text = f"{self.dag_id}#{self.task_id}#{started_at}#{poke_number}"
        wait_s: float = min(floor_s + _hashed(text) % floor_s, self.timeout - int(elapsed_s))
        if self.max_wait is not None:
            wait_s = min(self.max_wait, wait_s)
        self.log.info("Waiting for %s s", wait_s)
        return max(wait_s, 0.0)

    def _reschedule_interval(self, started_at: Any, elapsed_s: float) -> float:
        """Return the next interval; how often it has poked is told from the time that passed."""
        if not self.exponential_backoff:
            return self.poke_interval
        poke_number, total_s = 1, 0.0
        while (wait_s := self._interval(started_at, elapsed_s, poke_number)) > 0:
            total_s += wait_s
            if total_s > elapsed_s:
                break
            poke_number += 1
        return wait_s


def poke_mode_only(cls: type) -> type:
    """Class decorator: sensors of this class cannot be rescheduled.

    Raises:
        InvalidValueError: the class is no sensor; later: another mode is given or set.
    """
    if not issubclass(cls, BaseSensorOperator):
        raise InvalidValueError(f"poke_mode_only stands above sensors; {cls.__name__} is none")

    def get_mode(self: Any) -> str:
        return POKE

    def set_mode(self: Any, mode: str) -> None:
        if mode != POKE:
            raise InvalidValueError(f"{cls.__name__} can only have the mode 'poke', not {mode!r}")

    cls.mode = property(get_mode, set_mode)  # type: ignore[assignment]
    return cls


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise InvalidValueError(
            f"{name} must be a timedelta or a number of seconds that is not negative, not {value!r}"
        )
    return value


def _default_timeout() -> float:
    from .configuration import conf

    return conf.getfloat("sensors", "default_timeout", fallback=604800.0)


def _hashed(text: str) -> int:
    import hashlib

    return int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16)
