"""Brings the metadata database to the newest schema, and keeps its hands off Airflow's.

A database without tables gets them all at once and is stamped with the newest revision; only an
older one replays migrations. Alembic is imported only then: it costs 0.4 s of CPU.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError as DriverError
from sqlalchemy.exc import OperationalError

from ..sdk.configuration import conf
from ..sdk.home_folder import home_in_url
from .engine import SETTING, Database
from .errors import AirflowsDatabase, DatabaseError
from .made_mark import forget_made, is_made, lost, note_made
from .network_disks import refuse_network_disk
from .settings import StoreSettings, settings_from_configuration
from .tables import metadata, pool

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

#: The newest revision in ``migrations/versions``; a test compares.
HEAD: Final = "0009"
#: Revisions that this program knows, oldest first.
REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
#: SQLite's shared index beside the file takes as much.
FULL_BYTES: Final = 65536
#: Tables that only Airflow's own database has.
AIRFLOW_TABLES: Final = frozenset(
    {"slot_pool", "dag_pickle", "serialized_dag", "ab_user", "dag_code", "log_template", "sla_miss"}
)


def migrate(settings: StoreSettings | None = None) -> str:
    """Create or upgrade the database; return what was done, as one line.

    Raises:
        DatabaseError: it is Airflow's own, or newer than this program, or cannot be opened.
    """
    chosen = settings or settings_from_configuration()
    database = Database(chosen.url, chosen.pools)
    try:
        _make_folder(database, chosen)
        done = _bring_up_to_date(database, chosen)
        path = database_file(database)
        if path is not None:
            note_made(path)
        return done
    finally:
        database.close()


#: The name under which the contract of the first start knows it.
create_schema = migrate


def _bring_up_to_date(database: Database, settings: StoreSettings) -> str:
    revision = read_revision(database)
    if revision == HEAD:
        return "The database is up to date."
    if revision is None:
        with database.write() as connection:
            # Another process may have been faster.
            if _revision(connection) is None:
                create_tables(connection, settings)
        return "The database was created."
    _upgrade(database)
    return f"The database was upgraded from {revision} to {HEAD}."


def reset(settings: StoreSettings | None = None, *, is_created_again: bool = True) -> None:
    """Drop all our tables, with everything in them, and create them anew if so asked.

    Raises:
        DatabaseError: the database is Airflow's own: it is left untouched.
    """
    chosen = settings or settings_from_configuration()
    database = Database(chosen.url, chosen.pools)
    try:
        _make_folder(database, chosen)
        read_revision(database)
        with database.write() as connection:
            metadata.drop_all(connection)
            connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
            if is_created_again:
                create_tables(connection, chosen)
        path = database_file(database)
        if path is not None:
            note_made(path) if is_created_again else forget_made(path)
    finally:
        database.close()


def downgrade(revision: str, settings: StoreSettings | None = None) -> str:
    """Go back to an older revision, in one transaction; return what was done, as one line.

    Raises:
        DatabaseError: it is no older revision, or the database cannot be used.
    """
    from alembic import command

    chosen = settings or settings_from_configuration()
    database = Database(chosen.url, chosen.pools)
    try:
        present = read_revision(database)
        if present is None:
            raise DatabaseError("The database is empty: there is nothing to go back from.")
        if revision not in REVISIONS or revision > present:
            older = ", ".join(one for one in REVISIONS if one < present)
            raise DatabaseError(f"There is no older revision {revision!r}; there are: {older}.")
        config = alembic_config()
        with database.write() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, revision)
        return f"The database went back from {present} to {revision}."
    finally:
        database.close()


def check(settings: StoreSettings | None = None) -> str:
    """Return the database's revision.

    Raises:
        DatabaseError: it cannot be used; the text says what to do.
    """
    chosen = settings or settings_from_configuration()
    database = Database(chosen.url, chosen.pools)
    try:
        require_schema(database)
        return HEAD
    finally:
        database.close()


def require_schema(database: Database) -> None:
    """Make sure that the database has exactly the schema that this program knows.

    Raises:
        DatabaseError: it has not.
    """
    path = database_file(database)
    if path is not None and not path.exists():
        if is_made(path):
            raise lost(path)
        raise DatabaseError(
            f"There is no database at {path}: create it with `tradewind db migrate`."
        )
    revision = read_revision(database)
    if revision is None:
        raise DatabaseError("The database is empty: create it with `tradewind db migrate`.")
    if revision != HEAD:
        raise DatabaseError(
            f"The database is at revision {revision}, this program needs {HEAD}: "
            "run `tradewind db migrate`."
        )


def read_revision(database: Database) -> str | None:
    """Return the revision that the database is stamped with, None: it has no tables.

    Raises:
        DatabaseError: it is Airflow's, somebody else's, newer than we are, or cannot be opened.
    """
    _refuse_foreign_file(database)
    try:
        with database.read() as connection:
            return _revision(connection)
    except OperationalError as error:
        shown = database.url.render_as_string(hide_password=True)
        raise DatabaseError(
            f"{SETTING}: the database {shown} cannot be opened: {error.orig}{_why(database)}"
        ) from error
    except DriverError as error:
        raise DatabaseError(f"The database cannot be read: {error.orig}") from error


def _why(database: Database) -> str:
    """Return what SQLite does not say: a full disk is an I/O error to it."""
    path = database_file(database)
    if path is None:
        return ""
    try:
        disk = os.statvfs(path.absolute().parent)
    except OSError as error:
        return f" ({error.strerror})"
    return " (its disk is full)" if disk.f_bavail * disk.f_frsize < FULL_BYTES else ""


def _refuse_foreign_file(database: Database) -> None:
    """Look into a SQLite file before it is opened for writing: turning WAL on changes the file.

    Raises:
        DatabaseError: it is Airflow's, or somebody else's.
    """
    path = database_file(database)
    if path is not None:
        _refuse_foreign(_file_tables(path) or set())


def _file_tables(path: Path) -> set[str] | None:
    """Return the names of the tables in a SQLite file, None where they cannot be told."""
    if not path.is_file():
        return set()
    address = f"{path.absolute().as_uri()}?mode=ro"
    if not path.with_name(f"{path.name}-wal").exists():
        address += "&immutable=1"  # nobody has it open: reading leaves no files beside it
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as file:
            rows = file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except sqlite3.Error:
        return None  # locked, or no database at all: the engine says it
    # SQLite's own tables outlive ours: sqlite_sequence stays after `db reset --skip-init`.
    return {str(name) for (name,) in rows if not str(name).startswith("sqlite_")}


def _revision(connection: Connection) -> str | None:
    names = set(inspect(connection).get_table_names())
    if not names:
        return None
    _refuse_foreign(names)
    stamped = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if stamped not in REVISIONS:
        raise DatabaseError(
            f"The database is at revision {stamped!r}, which this program does not know; it was "
            "left untouched. It may belong to Airflow, or to a newer Tradewind."
        )
    return str(stamped)


def _refuse_foreign(names: Collection[str]) -> None:
    """Raise DatabaseError where these tables are not ours; no tables at all are fine."""
    if not names:
        return
    if AIRFLOW_TABLES.intersection(names):
        raise AirflowsDatabase(
            "This is Apache Airflow's own database; it was left untouched. Set [database] "
            "sql_alchemy_conn, or TRADEWIND_HOME, to a place of Tradewind's own."
        )
    if "alembic_version" not in names:
        raise DatabaseError(
            "The database has tables that Tradewind does not know; it was left untouched."
        )


def create_tables(connection: Connection, settings: StoreSettings) -> None:
    """Create all tables at once, stamp the newest revision, and add the default pool."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
    connection.execute(
        pool.insert(),
        {
            "name": "default_pool",
            "slots": settings.default_pool_slots,
            "description": "Default pool",
        },
    )


def prepare_database() -> str:
    """Make the configured database ready, and say what was done.

    Airflow's own database, where only an ``airflow.cfg`` names it, is left alone.

    Raises:
        DatabaseError: it is Airflow's own, or newer than this program, or cannot be opened; or
            one that was made here is gone.
    """
    leave_airflows_database()
    _refuse_lost(Database(settings_from_configuration().url))
    return migrate()


def create_missing_database() -> None:
    """Make the configured SQLite database where there is none yet; change nothing else.

    A file without tables counts as none: another command is about to make them, or was killed
    before it could.
    """
    leave_airflows_database()
    database = Database(settings_from_configuration().url)
    _refuse_lost(database)
    path = database_file(database)
    if path is not None and _file_tables(path) == set():
        migrate()


def _refuse_lost(database: Database) -> None:
    """Make no empty database silently where one was deleted or emptied.

    Raises:
        DatabaseError: one was.
    """
    path = database_file(database)
    # The note is looked for first: another command may be about to make the tables.
    if path is None or not is_made(path):
        return
    if not path.exists() or not path.stat().st_size or _file_tables(path) == set():
        raise lost(path)


def database_file(database: Database) -> Path | None:
    """Return the file that the database is; None: it is on a server, or in memory."""
    if not database.is_sqlite or database.is_in_memory:
        return None
    return Path(database.url.database or "")


def leave_airflows_database() -> None:
    """Use our default database where only an ``airflow.cfg`` names one that is Airflow's own.

    Somebody who moves from Airflow has such a file. One that is named in the environment, or in
    our own file, is meant: it is refused later, when it is opened (architecture, section 5).
    """
    url, source = conf.find("database", "sql_alchemy_conn")
    if source != "airflow.cfg" or url is None:
        return
    database = Database(url)
    try:
        read_revision(database)
    except AirflowsDatabase:
        default = f"sqlite:///{home_in_url()}/tradewind.db"
        log.warning("%s in airflow.cfg is Airflow's own database; using %s", url, default)
        conf.set("database", "sql_alchemy_conn", default)
    except DatabaseError:
        pass  # said when it is opened
    finally:
        database.close()


def _make_folder(database: Database, settings: StoreSettings) -> None:
    path = database_file(database)
    if path is not None:
        folder = path.absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not settings.is_network_disk_taken:
                refuse_network_disk(path)
            # Hashes of passwords are for nobody else; SQLite's side files take the same mode.
            path.touch(mode=0o600)
        except OSError as error:
            raise DatabaseError(f"{folder} cannot be written to: {error.strerror}") from error


def alembic_config() -> Config:
    """Return Alembic's settings for our migrations."""
    from alembic.config import Config

    config = Config()
    # A per cent sign would be read as the start of a name to be filled in.
    folder = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", folder)
    return config


def _upgrade(database: Database) -> None:
    from alembic import command

    config = alembic_config()
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
