"""Weigh the pages: server CPU, bytes and statements of each, at the sizes of the design's budgets.

    python benchmarks/pages.py                       # without history
    python benchmarks/pages.py --history 1000000     # with so many task instances beside it
    python benchmarks/pages.py --json pages.json

Everything is inserted into a SQLite file at once, and asked of the application in this process.
CPU milliseconds are the median of several requests; *cold* is the first one. The floor is one
request for ``/health``. Targets stand in ``docs/performance.md``, section "Pages".
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
REPEATS = 5
#: Page → (CPU ms warm, cold, kB gzipped): the budgets.
BUDGETS = {
    "list, 50 of 1,000 DAGs": (25, 60, 25),
    "home": (60, 120, 30),
    "grid, 62 tasks x 30 runs": (10, 40, 25),
    "grid, 200 tasks x 365 runs": (30, 350, 40),
    "graph, 1,000 tasks flat": (30, 600, 80),
    "graph, 1,000 tasks in 20 groups": (10, 300, 30),
    "graph, fan of 998": (30, 600, 80),
    "Gantt, 1,000 task instances": (30, 60, 40),
    "run, 1,000 task instances": (60, 120, 40),
    "mapped task, 10,000 instances": (60, 120, 30),
    "log of 1 GB, at its tail": (30, 60, 40),
    "runs of all DAGs": (60, 120, 30),
    "task instances of all DAGs": (60, 120, 30),
    "timeline, 12 h": (150, 300, 40),
    "forecast, 24 h": (600, 3000, 40),
    "durations, 90 runs": (30, 60, 30),
    "calendar": (60, 120, 30),
}


def main() -> None:
    """Fill a database, ask for each page, print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--history", type=int, default=0, help="task instances besides")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRADEWIND_HOME"] = folder
        rows = measure(Path(folder), options.history)
    width = max(map(len, BUDGETS))
    print(f"{'page':<{width}}  warm ms  cold ms   kB gz  kB raw  queries  budget")
    for row in rows:
        limit = BUDGETS.get(row["page"])
        over = "" if limit is None else f"{limit[0]} / {limit[1]} ms, {limit[2]} kB"
        print(
            f"{row['page']:<{width}}  {row['warm_ms']:7.1f}  {row['cold_ms']:7.1f}  "
            f"{row['kb_gz']:6.1f}  {row['kb']:6.0f}  {row['queries']:7d}  {over}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def measure(home: Path, history: int) -> list[dict[str, Any]]:
    """Return one row for each page."""
    from pages_data import fill
    from sqlalchemy import event
    from tradewind.control.services import Services
    from tradewind.database.migrate import create_missing_database
    from tradewind.database.settings import settings_from_configuration
    from tradewind.database.store import open_store
    from tradewind.sdk.clock import VirtualClock
    from tradewind.webserver.app import create_app

    create_missing_database()
    store = open_store(settings_from_configuration(), VirtualClock(NOW))
    started_s = time.perf_counter()
    paths = fill(store, home, NOW, history)
    print(f"filled in {time.perf_counter() - started_s:.0f} s", file=sys.stderr)
    app = create_app(Services(store, store.clock, "user:bench"))
    client = app.test_client()
    token = client.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"username": "ada", "password": "ada-password", "csrf_token": token}
    assert client.post("/login", data=form).status_code == 302
    counted = [0]

    def count(*_arguments: Any) -> None:
        counted[0] += 1

    event.listen(store.database.engine, "before_cursor_execute", count)
    rows = []
    for page, path in {"floor: /health": "/health", **paths}.items():
        times, size, queries = [], (0, 0), 0
        for _ in range(REPEATS + 1):
            counted[0] = 0
            began = time.process_time()
            answer = client.get(path)
            text = answer.get_data()
            times.append((time.process_time() - began) * 1000)
            assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
            size, queries = (len(text), len(gzip.compress(text, 5))), counted[0]
        rows.append(
            {
                "page": page,
                "warm_ms": statistics.median(times[1:]),
                "cold_ms": times[0],
                "kb": size[0] / 1000,
                "kb_gz": size[1] / 1000,
                "queries": queries,
            }
        )
    store.close()
    return rows


if __name__ == "__main__":
    main()
