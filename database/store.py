"""The store: named operations on the metadata database, each one transaction.

``store.runs.create(…)``, ``store.attempts.finish(…)``: groups are named for what they are about,
and stand in modules named like their tables. ``now`` is aware UTC, and always a parameter. An
``actor`` is "scheduler", "runner:ID", "parser" or "user:NAME". No SQLAlchemy object crosses this
border: values are those of ``values.py``.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..sdk.clock import Clock, WallClock
from .access_tokens import AccessTokenOperations
from .asset_listings import AssetListingOperations
from .assets import AssetOperations
from .attempts import AttemptOperations
from .backfills import BackfillOperations
from .bell import Bell, BellListener, Listener
from .clean import CleanOperations
from .connection_budget import check_budget
from .connections import ConnectionOperations
from .dag_files import FileOperations
from .dag_runs import RunOperations
from .dags import DagOperations
from .encryption import Cipher
from .engine import SERVICE_BUSY_TOTAL_S, Database
from .errors import DatabaseGone
from .events import EventOperations
from .favorites import FavoriteOperations
from .history import HistoryOperations
from .idempotency import IdempotencyOperations
from .key_rotation import EncryptionOperations
from .listings import ListingOperations
from .metrics import MetricOperations
from .migrate import create_tables, database_file, require_schema
from .network_disks import refuse_network_disk
from .operations import Ground
from .outbox_messages import OutboxOperations
from .pools import PoolOperations
from .processes import ProcessOperations
from .questions import QuestionOperations
from .remembered import Remembered
from .roles import RoleOperations
from .sessions import SessionOperations
from .settings import StoreSettings, settings_from_configuration
from .slas import SlaOperations
from .task_instances import TaskInstanceOperations
from .timeline import TimelineOperations
from .triggers import TriggerOperations
from .users import UserOperations
from .variables import VariableOperations
from .versions import VersionCache
from .watchers import WatcherOperations
from .webhooks import WebhookOperations
from .workers import WorkerOperations
from .xcom_listings import XComListingOperations
from .xcoms import XComOperations

if TYPE_CHECKING:
    from .session_lock import SessionLock

log = logging.getLogger(__name__)


class Store:
    """All operations on one metadata database. Safe for threads; never carried across a fork."""

    def __init__(self, settings: StoreSettings, clock: Clock | None = None) -> None:
        """Prepare; the database is opened by the first operation.

        Raises:
            DatabaseError: the URL cannot be used.
        """
        self.settings = settings
        self.clock = clock or WallClock()
        self.database = Database(settings.url, settings.pools)
        self.bell = Bell(settings.home) if self.database.is_sqlite else self._database_bell()
        ground = Ground(
            database=self.database,
            settings=settings,
            versions=VersionCache(),
            bell=self.bell,
            cipher=Cipher(settings.fernet_key),
            remembered=Remembered(self.database),
        )
        self.files = FileOperations(ground)
        self.dags = DagOperations(ground)
        self.runs = RunOperations(ground)
        self.attempts = AttemptOperations(ground)
        self.workers = WorkerOperations(ground)
        self.task_instances = TaskInstanceOperations(ground)
        self.triggers = TriggerOperations(ground)
        self.watchers = WatcherOperations(ground)
        self.xcoms = XComOperations(ground)
        self.xcom_listings = XComListingOperations(ground)
        self.questions = QuestionOperations(ground)
        self.variables = VariableOperations(ground)
        self.connections = ConnectionOperations(ground)
        self.pools = PoolOperations(ground)
        self.encryption = EncryptionOperations(ground)
        self.users = UserOperations(ground)
        self.roles = RoleOperations(ground)
        self.sessions = SessionOperations(ground)
        self.access_tokens = AccessTokenOperations(ground)
        self.webhooks = WebhookOperations(ground)
        self.idempotency = IdempotencyOperations(ground)
        self.backfills = BackfillOperations(ground)
        self.events = EventOperations(ground)
        self.assets = AssetOperations(ground)
        self.asset_listings = AssetListingOperations(ground)
        self.favorites = FavoriteOperations(ground)
        self.history = HistoryOperations(ground)
        self.listings = ListingOperations(ground)
        self.timeline = TimelineOperations(ground)
        self.metrics = MetricOperations(ground)
        self.clean = CleanOperations(ground)
        self.outbox = OutboxOperations(ground)
        self.slas = SlaOperations(ground)
        self.processes = ProcessOperations(ground)

    @classmethod
    def in_memory(cls, settings: StoreSettings | None = None, clock: Clock | None = None) -> Store:
        """Return a store whose database lives as long as it: the same code on SQLite in memory."""
        chosen = replace(settings or StoreSettings(url=""), url="sqlite://", home=None)
        store = cls(chosen, clock)
        with store.database.write() as connection:
            create_tables(connection, chosen)
        return store

    def listen(self, name: str, home: Path) -> BellListener:
        """Return what hears a bell of this store.

        Args:
            home: whose bells are meant, where they are this machine's (SQLite).

        Raises:
            OSError: the home folder cannot be written to.
        """
        if not self.database.is_sqlite:
            from .notify import DatabaseListener

            return DatabaseListener(self.database, name)
        return Listener(home, name)

    def parser_lock(self) -> SessionLock | None:
        """Return the lock of the one parser of a cluster; None: a file's lock does (SQLite)."""
        if self.database.is_sqlite:
            return None
        from .postgresql import PARSER_KEY
        from .session_lock import SessionLock

        return SessionLock(self.database, PARSER_KEY)

    def _database_bell(self) -> Bell:
        from .notify import DatabaseBell

        return DatabaseBell(self.database)

    def close(self) -> None:
        """Close all connections."""
        self.database.close()
        self.bell.close()


def _end_process(error: DatabaseGone) -> None:
    """End a service, whose loop comes back from all other errors: there is nothing to come to."""
    log.critical("%s", error)
    logging.shutdown()
    os._exit(1)


def open_store(
    settings: StoreSettings | None = None, clock: Clock | None = None, *, service: str = ""
) -> Store:
    """Open the store of this process.

    Args:
        settings: None: as the configuration says.
        service: "scheduler", "runner", … where it is the store of a loop that comes back by
            itself: a wait for another program's lock is short then, because the loop has leases
            and deadlines to keep, and PostgreSQL has to have room for its connections.

    Raises:
        DatabaseError: the database is missing, older or newer than this program, or Airflow's.
    """
    chosen = settings or settings_from_configuration()
    largest_pool = chosen.pools.connections_max
    if service:
        chosen = replace(chosen, pools=chosen.pools.of_service(service))
    store = Store(chosen, clock)
    if service:
        store.database.busy_total_s = SERVICE_BUSY_TOTAL_S
        store.database.on_file_gone = _end_process
    try:
        require_schema(store.database)
        path = database_file(store.database)
        if service and not store.database.is_sqlite:
            check_budget(store.database, largest_pool)
        if service and path is not None and not chosen.is_network_disk_taken:
            refuse_network_disk(path)
    except BaseException:
        store.close()
        raise
    return store
