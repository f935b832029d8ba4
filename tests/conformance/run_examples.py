"""Loads DAG files, and runs their DAGs by ``dag.test()``, each in a process of its own.

A program: ``run_examples.py FOLDER ASKED``, with ASKED the path of a JSON file that names the
DAGs to run by file. It prints one JSON object by file name: ``error`` where the file does not
load, ``dags`` (the ids), ``runs`` (by dag id: state of the run and of each task instance).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

#: The runs were recorded for this date, a Wednesday.
LOGICAL_DATE = datetime(2026, 11, 18, tzinfo=UTC)
PROCESSES = 4  # many examples sleep
RUN_TIME_MAX_S = 60


def load(path: Path) -> Any:
    """Import one file and serialize its DAGs, as the parser does."""
    from tradewind.runtime.task.dag_file import load_dag_file
    from tradewind.sdk.serialize_dag import serialize

    loaded = load_dag_file(path)
    for dag in loaded.dags.values():
        serialize(dag, relative_fileloc=path.name)
    return loaded


def try_to_load(path: Path) -> dict[str, Any]:
    """Return the DAG ids of one file, or what its import raised."""
    try:
        return {"dags": sorted(load(path).dags)}
    except Exception as error:  # noqa: BLE001 - whatever a file raises
        return {"error": f"{type(error).__name__}: {error}"}


def run(path: Path, dag_id: str) -> dict[str, Any]:
    """Run one DAG to its end."""
    started_at = time.monotonic()
    try:
        ended = load(path).dags[dag_id].test(logical_date=LOGICAL_DATE)
    except Exception as error:  # noqa: BLE001 - whatever a DAG raises
        return {"error": f"{type(error).__name__}: {error}"}
    tasks = {one.label: str(one.state) for one in ended.get_task_instances()}
    seconds = round(time.monotonic() - started_at, 1)
    return {"run": str(ended.state), "tasks": dict(sorted(tasks.items())), "seconds": seconds}


class Children:
    """A few processes at a time, each of which answers with JSON over a pipe."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[int, Callable[[Any], None]]] = {}

    def start(self, job: Callable[[], Any], take: Callable[[Any], None]) -> None:
        """Run *job* in a fork; *take* gets what it returned."""
        if len(self._running) >= PROCESSES:
            self.wait_for_one()
        read_fd, write_fd = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            signal.alarm(RUN_TIME_MAX_S)
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            logging.disable(logging.CRITICAL)
            with os.fdopen(write_fd, "w") as stream:
                json.dump(job(), stream)
            os._exit(0)
        os.close(write_fd)
        self._running[pid] = (read_fd, take)

    def wait_for_one(self) -> None:
        """Take the answer of whichever ends next."""
        pid, _ = os.wait()
        read_fd, take = self._running.pop(pid)
        with os.fdopen(read_fd) as stream:
            text = stream.read()
        take(json.loads(text) if text else {"error": "its process ended without an answer"})

    def wait_for_all(self) -> None:
        """Take all answers."""
        while self._running:
            self.wait_for_one()


def main(folder: Path, asked: dict[str, list[str]]) -> None:
    """Load every file of *folder*, run what is *asked* for, print what became of it."""
    from tradewind.runtime import in_process  # noqa: F401

    import airflow  # noqa: F401 - forked children need not load it again

    children = Children()
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            found[path.name] = {"runs": {}}
            children.start(lambda path=path: try_to_load(path), found[path.name].update)
    children.wait_for_all()
    for name, dag_ids in asked.items():
        for dag_id in dag_ids:
            runs = found[name]["runs"]
            children.start(
                lambda path=folder / name, dag_id=dag_id: run(path, dag_id),
                lambda answer, runs=runs, dag_id=dag_id: runs.update({dag_id: answer}),
            )
    children.wait_for_all()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
