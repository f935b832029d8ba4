"""What DAG files print while they are imported, kept where Airflow's parser logs lie.

``dag_processor/<date>/dags-folder/<file>.log`` under the log folder; the last parse of a day
that printed anything, or failed, replaces the one before.
"""

from __future__ import annotations

import logging
from pathlib import Path

from ..sdk.clock import Clock
from .parse_children import FinishedParse

log = logging.getLogger(__name__)

BUNDLE = "dags-folder"


class ParseLogs:
    """Writes under one log folder. A disk that refuses costs the log, and nothing else."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder / "dag_processor"
        self._clock = clock
        self._is_refused = False

    def keep(self, finished: FinishedParse) -> None:
        """Write what one child printed, and its error; nothing where it was silent and well."""
        error = finished.failure or (finished.answer.error if finished.answer else "")
        if not finished.output and not error:
            return
        now = self._clock.now()
        path = self._folder / f"{now:%Y-%m-%d}" / BUNDLE / f"{finished.request.relative_path}.log"
        head = f"[{now.isoformat()}] parsed {finished.request.path} in {finished.duration_s:.2f} s"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{head}\n{finished.output}\n{error}".rstrip() + "\n")
        except OSError as refused:
            if not self._is_refused:
                log.warning("parser logs cannot be written: %s", refused)
            self._is_refused = True
