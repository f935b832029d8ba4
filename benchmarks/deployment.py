"""A home of its own for a benchmark: DAG files, the command, figures from the database."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

TRADEWIND = Path(sys.executable).parent / "tradewind"
DEADLINE_S = 300.0
POLL_S = 0.02
#: Settings of whoever measures must not count; and bytecode is written, as for any user.
LEFT_OUT = ("AIRFLOW", "TRADEWIND", "PYTHONDONTWRITEBYTECODE")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def seconds(text: str | datetime) -> float:
    """Turn a stored instant into seconds since the epoch."""
    if isinstance(text, datetime):
        return text.timestamp()
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Deployment:
    """One home, and the server in it. Use as a context manager: leaving stops and removes it."""

    #: Makes a database and returns its URL; None: each has a SQLite file in its home.
    make_database: ClassVar[Callable[[], str] | None] = None

    def __init__(
        self,
        dag_files: dict[str, str],
        home: Path | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.home = home or Path(tempfile.mkdtemp(prefix="tradewind-benchmark-"))
        self.home.mkdir(exist_ok=True)
        self.dags_folder = self.home / "dags"
        self.dags_folder.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)},
            "TRADEWIND_HOME": str(self.home),
            "TRADEWIND__CORE__DAGS_FOLDER": str(self.dags_folder),
            "TRADEWIND__CORE__LOAD_EXAMPLES": "false",
            "TRADEWIND__CORE__PARALLELISM": "16",
            "TRADEWIND__API__PORT": str(port),
            **(settings or {}),
        }
        self.database_url = self.make_database() if self.make_database is not None else None
        if self.database_url is not None:
            self.environment["TRADEWIND__DATABASE__SQL_ALCHEMY_CONN"] = self.database_url
        self._server: subprocess.Popen[bytes] | None = None
        self._asking: Any = None
        for name, text in dag_files.items():
            self.write_dag(name, text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._asking is not None:
            self._asking.close()
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._server.kill()
        if error is None:
            shutil.rmtree(self.home, ignore_errors=True)
        else:
            print(f"kept for inspection: {self.home}", file=sys.stderr)

    def write_dag(self, name: str, text: str) -> None:
        """Put a DAG file in place at once."""
        draft = self.home / f"{name}.draft"
        draft.write_text(text)
        draft.rename(self.dags_folder / name)

    def start(self) -> None:
        """Start everything with the one command."""
        with (self.home / "server.out").open("ab") as output:
            self._server = subprocess.Popen(
                [TRADEWIND, "standalone"],
                env=self.environment,
                cwd=self.home,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        """Press Ctrl-C, and wait for the end."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(timeout=20)
            self._server = None

    def wait_server(self) -> None:
        """Wait for the end of a server that was told to end, or killed."""
        if self._server is not None:
            self._server.wait(timeout=30)

    def command(self, *arguments: str) -> str:
        """Run one command to its end and return what it printed."""
        return subprocess.run(
            [TRADEWIND, *arguments],
            env=self.environment,
            cwd=self.home,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def query(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Read from the database beside the server; [] while there is none."""
        if self.database_url is not None:
            return self._query_server(self.database_url, statement, values)
        path = self.home / "tradewind.db"
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in connection.execute(statement, values)]
            except sqlite3.OperationalError:
                return []  # the schema is being made

    def _query_server(
        self, url: str, statement: str, values: tuple[Any, ...]
    ) -> list[dict[str, Any]]:
        import psycopg
        from psycopg.rows import dict_row

        if self._asking is None:
            # One for all questions: to connect costs the server more than a hop.
            self._asking = psycopg.connect(url, row_factory=dict_row, autocommit=True)
        try:
            return self._asking.execute(statement.replace("?", "%s"), values).fetchall()
        except psycopg.errors.UndefinedTable:
            return []  # the schema is being made

    def instances(self, dag_id: str, run_id: str | None = None) -> list[dict[str, Any]]:
        """Return the task instances of a DAG (or of one run) with their times in seconds."""
        rows = self.query(
            "select t.task_id, t.state, t.started_at, t.ended_at from task_instance t"
            " join dag_run r on r.id = t.dag_run_id"
            " where r.dag_id = ? and (cast(? as varchar) is null or r.run_id = ?)",
            dag_id,
            run_id,
            run_id,
        )
        for row in rows:
            for name in ("started_at", "ended_at"):
                row[name] = seconds(row[name]) if row[name] else None
        return rows

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until a DAG is known."""
        self.wait_until(lambda: self.query("select 1 from dag where dag_id = ?", dag_id), dag_id)

    def wait_for_end(self, dag_id: str, run_id: str | None = None) -> list[dict[str, Any]]:
        """Wait until all task instances of a run have succeeded, and return them."""

        def ended() -> list[dict[str, Any]]:
            rows = self.instances(dag_id, run_id)
            return rows if rows and all(row["state"] == "success" for row in rows) else []

        return self.wait_until(ended, f"the end of {dag_id} {run_id or ''}")

    def run_to_end(self, dag_id: str) -> tuple[list[dict[str, Any]], float]:
        """Trigger a run; return its task instances and the CPU seconds of the whole server."""
        run_id = f"bench_{time.monotonic_ns()}"
        self.command("dags", "trigger", dag_id, "--run-id", run_id)
        # The command's own CPU is not the server's, so that it does not count.
        before_s = self.cpu_s()
        instances = self.wait_for_end(dag_id, run_id)
        return instances, self.cpu_s() - before_s

    def cpu_s(self) -> float:
        """Return CPU seconds of all processes of this home, with those they have reaped."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += sum(int(field) for field in fields[11:15])
        return total / CLOCK_TICKS

    def pss_mb(self) -> float:
        """Return the proportional memory of all processes of this home."""
        total_kb = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total_kb += int(line.split()[1])
        return total_kb / 1024

    def pids(self) -> list[int]:
        """Return the processes of this home, told by their environment."""
        marker = f"TRADEWIND_HOME={self.home}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    if marker in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return found

    def wait_until(self, holds: Any, what: str) -> Any:
        """Wait until *holds* answers something, and return it."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            answer = holds()
            if answer:
                return answer
            time.sleep(POLL_S)
        output = (self.home / "server.out").read_text()[-2000:]
        raise TimeoutError(f"not within {DEADLINE_S} s: {what}\n{output}")
