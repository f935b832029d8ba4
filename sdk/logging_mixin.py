"""A logger for a class: Airflow's ``LoggingMixin``."""

from __future__ import annotations

import logging
import re

_ESCAPE_CODES = re.compile(r"\x1B\[[0-?]*[ -/]*[@-~]")


class LoggingMixin:
    """Gives every object ``log``, a logger that carries the path of its class."""

    _log: logging.Logger | None = None
    #: Put before the name, as "airflow.task.hooks" before that of every hook.
    _log_config_logger_name: str | None = None
    #: In place of the path of the class.
    _logger_name: str | None = None

    def __init__(self, context: object = None) -> None:
        """Take *context* for the sake of old callers; log files know it without."""

    @property
    def log(self) -> logging.Logger:
        """The logger of the object's class."""
        if self._log is None:
            kind = type(self)
            name = self._logger_name or f"{kind.__module__}.{kind.__qualname__}"
            if self._log_config_logger_name:
                name = f"{self._log_config_logger_name}.{name}"
            self._log = logging.getLogger(name)
        return self._log


def remove_escape_codes(text: str) -> str:
    """Return *text* without the codes that colour a terminal."""
    return _ESCAPE_CODES.sub("", text)
