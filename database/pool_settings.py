"""How many connections to PostgreSQL a process may hold, and how they are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ..sdk.configuration import conf

#: Most connections at once of the services that work in one thread; one more listens. What is not
#: named here serves several threads and takes what the settings allow.
CONNECTIONS_OF: Final = {
    "runner": 2,
    "renewer": 1,
    "scheduler": 2,
    "triggerer": 2,
    "parser": 2,
}


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """[database] sql_alchemy_*. Seconds where ``_s``."""

    is_enabled: bool = True
    size: int = 5
    overflow: int = 10
    recycle_s: int = 1800
    is_tested_before_use: bool = True
    schema: str = ""
    #: JSON, or the import path of a dict; "": nothing.
    connect_args: str = ""
    engine_args: str = ""
    #: What ``pg_stat_activity`` shows.
    application_name: str = "tradewind"

    @property
    def connections_max(self) -> int:
        """Most connections that one process opens, with the one that listens for bells."""
        return self.size + max(0, self.overflow) + 1

    def of_service(self, service: str) -> PoolSettings:
        """Return the settings of one service: "scheduler", "runner", "web", …"""
        named = replace(self, application_name=f"tradewind {service}")
        size = CONNECTIONS_OF.get(service)
        return named if size is None else replace(named, size=size, overflow=0)


def pool_settings() -> PoolSettings:
    """Read the settings of this process."""
    return PoolSettings(
        is_enabled=conf.getboolean("database", "sql_alchemy_pool_enabled"),
        size=conf.getint("database", "sql_alchemy_pool_size"),
        overflow=conf.getint("database", "sql_alchemy_max_overflow"),
        recycle_s=conf.getint("database", "sql_alchemy_pool_recycle"),
        is_tested_before_use=conf.getboolean("database", "sql_alchemy_pool_pre_ping"),
        schema=conf.get("database", "sql_alchemy_schema") or "",
        connect_args=conf.get("database", "sql_alchemy_connect_args", fallback="") or "",
        engine_args=conf.get("database", "sql_alchemy_engine_args", fallback="") or "",
    )
