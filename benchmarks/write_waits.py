"""How long writers of SQLite wait for their turn when all kinds of them write at once.

    python benchmarks/write_waits.py [--seconds 20]

Four processes share one database file, each in its own rhythm: a scheduler that writes a little
and often, a runner that writes whenever it can, a page that writes now and then, and commands
that open the database anew for each write. Printed is the time from asking for the turn until it
is there, beside the floor of the same disk: one durable commit with nobody else at work.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text
from tradewind.database.engine import Database

#: Statements per transaction, and the pause after it in seconds.
RHYTHMS: dict[str, tuple[int, float]] = {
    "scheduler": (20, 0.005),
    "runner": (60, 0.0),
    "web": (2, 0.05),
    "command": (2, 0.02),
}


def write(database: Database, statements: int) -> float:
    """Write once; return for how many seconds it waited for its turn."""
    asked_s = time.perf_counter()
    with database.write() as connection:
        waited_s = time.perf_counter() - asked_s
        for _ in range(statements):
            connection.execute(text("INSERT INTO note (words) VALUES ('as long as a row is')"))
    return waited_s


def keep_writing(url: str, name: str, seconds: float, answer: Callable[[object], None]) -> None:
    """Write in the rhythm of *name*; answer the waits."""
    statements, pause_s = RHYTHMS[name]
    waits: list[float] = []
    database = Database(url)
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if name == "command":
            database.close()
            database = Database(url)
        waits.append(write(database, statements))
        time.sleep(pause_s)
    database.close()
    answer((name, waits))


def measure(seconds: float) -> dict[str, dict[str, float]]:
    """Return figures per kind of writer, in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="tradewind-benchmark-") as folder:
        url = f"sqlite:///{Path(folder) / 'waits.db'}"
        database = Database(url)
        with database.write() as connection:
            connection.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, words TEXT)"))
        floor = []
        for _ in range(100):
            started_s = time.perf_counter()
            write(database, 1)
            floor.append(time.perf_counter() - started_s)
        database.close()
        answers: multiprocessing.Queue[tuple[str, list[float]]] = multiprocessing.Queue()
        writers = [
            multiprocessing.Process(target=keep_writing, args=(url, name, seconds, answers.put))
            for name in RHYTHMS
        ]
        for writer in writers:
            writer.start()
        taken = dict(answers.get() for _ in writers)
        for writer in writers:
            writer.join()
    figures = {"floor: a commit, alone": summary(floor)}
    return figures | {name: summary(taken[name]) for name in RHYTHMS}


def summary(seconds: list[float]) -> dict[str, float]:
    """Return count, median, 99th percentile and maximum."""
    cuts = statistics.quantiles(seconds, n=100)
    return {
        "n": len(seconds),
        "p50": statistics.median(seconds) * 1000,
        "p99": cuts[98] * 1000,
        "max": max(seconds) * 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    arguments = parser.parse_args()
    figures = measure(arguments.seconds)
    print(f"{'wait for the turn, ms':26} {'n':>7} {'p50':>8} {'p99':>8} {'max':>8}")
    for name, row in figures.items():
        print(f"{name:26} {row['n']:7.0f} {row['p50']:8.2f} {row['p99']:8.2f} {row['max']:8.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
