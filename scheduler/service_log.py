"""Log lines of long-running processes, on standard error: when, who, how bad, what."""

from __future__ import annotations

import logging
import sys

from ..sdk.configuration import conf
from ..sdk.url_credentials import cut_credentials


class WithoutCredentials(logging.Formatter):
    """Formats as usual, and cuts passwords out of addresses: tracebacks are full of them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback below it."""
        return cut_credentials(super().format(record))


def configure_service_log(service: str) -> None:
    """Send this process's log to standard error, each line marked with *service*."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        WithoutCredentials(
            f"%(asctime)s {service:<13} %(levelname)-7s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = str(conf.get("logging", "logging_level", fallback="INFO")).upper()
    root.setLevel(level if level in logging.getLevelNamesMapping() else "INFO")
    for noisy in ("alembic", "watchfiles", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
