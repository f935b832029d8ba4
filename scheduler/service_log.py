"""Log lines of long-running processes, on standard error: when, who, how bad, what.

With ``[logging] json_logs`` each line is one JSON object, for whoever collects logs.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

from ..sdk.configuration import conf
from ..sdk.url_credentials import cut_credentials

#: Services that run in a thread of another one's process; the thread has their name.
THREAD_SERVICES = frozenset({"triggerer"})


def service_of(record: logging.LogRecord, service: str) -> str:
    """Return which service says a record: that of its thread, or the process's own."""
    return record.threadName or service if record.threadName in THREAD_SERVICES else service


class WithoutCredentials(logging.Formatter):
    """Formats as usual, and cuts passwords out of addresses: tracebacks are full of them."""

    def __init__(self, service: str) -> None:
        super().__init__(
            "%(asctime)s %(service)-13s %(levelname)-7s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"
        )
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback below it."""
        record.service = service_of(record, self._service)
        return cut_credentials(super().format(record))


#: What every record has; anything else was given as ``extra`` and is shown.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: timestamp, level, service, logger, event, and extras."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without a line break."""
        entry: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "service": service_of(record, self._service),
            "logger": record.name,
            "event": cut_credentials(record.getMessage()),
            "pid": record.process,
        }
        if record.exc_info:
            entry["exception"] = cut_credentials(self.formatException(record.exc_info))
        entry.update({name: value for name, value in vars(record).items() if name not in _USUAL})
        return msgspec.json.encode(entry, enc_hook=str).decode()


def _formatter(service: str) -> logging.Formatter:
    if conf.getboolean("logging", "json_logs", fallback=False):
        return JsonLines(service)
    return WithoutCredentials(service)


def configure_service_log(service: str) -> None:
    """Send this process's log to standard error, each line marked with *service*."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = str(conf.get("logging", "logging_level", fallback="INFO")).upper()
    root.setLevel(level if level in logging.getLevelNamesMapping() else "INFO")
    for noisy in ("alembic", "watchfiles", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
