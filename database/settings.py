"""What the store has to be told, read once from the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..sdk.configuration import conf, home
from ..sdk.executor_names import ExecutorNames, read_executor_names
from ..sdk.timezone import default_timezone
from .pool_settings import PoolSettings, pool_settings


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Limits and lengths of time that the store's operations use. Seconds where ``_s``."""

    url: str
    #: Folder of bells; None: no bells (in-memory stores).
    home: Path | None = None
    parallelism: int = 32
    lease_s: float = 30.0
    claim_deadline_s: float = 60.0
    map_length_max: int = 1024
    default_pool_slots: int = 128
    executors: ExecutorNames = field(default_factory=ExecutorNames)
    #: Empty: variables and connections cannot be stored.
    fernet_key: str = ""
    is_paused_at_creation: bool = True
    #: The event log keeps at least so many entries; older ones go.
    events_max: int = 100_000
    outbox_tries_max: int = 8
    #: Of connections to PostgreSQL; SQLite's need no limit.
    pools: PoolSettings = field(default_factory=PoolSettings)
    #: SQLite may lie on another machine's disk, at the risk of whoever said so.
    is_network_disk_taken: bool = False


def settings_from_configuration() -> StoreSettings:
    """Read the settings of this process's store.

    ``task_queued_timeout`` and the heartbeat timeout override our own knobs only where somebody
    has set them (architecture, section 7).
    """
    default_timezone()  # a wrong one is told at the start, not by each DAG file
    lease_s = conf.getfloat("scheduler", "lease_s")
    if _is_set("scheduler", "task_instance_heartbeat_timeout"):
        lease_s = conf.getfloat("scheduler", "task_instance_heartbeat_timeout")
    claim_deadline_s = conf.getfloat("scheduler", "claim_deadline_s")
    if _is_set("scheduler", "task_queued_timeout"):
        claim_deadline_s = conf.getfloat("scheduler", "task_queued_timeout")
    return StoreSettings(
        url=conf.get("database", "sql_alchemy_conn"),
        home=home(),
        parallelism=conf.getint("core", "parallelism"),
        lease_s=lease_s,
        claim_deadline_s=claim_deadline_s,
        map_length_max=conf.getint("core", "max_map_length"),
        default_pool_slots=conf.getint("core", "default_pool_task_slot_count"),
        executors=read_executor_names(conf.getlist("core", "executor")),
        fernet_key=conf.get("core", "fernet_key"),
        is_network_disk_taken=conf.getboolean("database", "sqlite_on_network_disk"),
        is_paused_at_creation=conf.getboolean("core", "dags_are_paused_at_creation"),
        pools=pool_settings(),
    )


def _is_set(section: str, key: str) -> bool:
    """Tell whether somebody gave the option a value (a built-in default does not count)."""
    value, source = conf.find(section, key)
    return value is not None and source != "default"
