"""Without a server nobody parses DAG files: commands that need a DAG do it first.

Files are parsed by the same manager, in the same limited children, as a server does it. Files
that did not change since the last time are not imported again, so this costs little.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..control.services import Services
    from ..database.values import DagRow
    from ..runtime.task.parse_messages import ParseRequest
    from ..scheduler.parse_children import FinishedParse, ParseChildren
    from ..scheduler.parse_settings import ParseSettings

TURN_S = 0.2
#: A file has to be missing in two scans a second apart, and leaves its DAGs with the second.
GONE_S = 1.3


class _LateChildren:
    """Parser children whose zygote is started with the first file that has to be imported."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._children: ParseChildren | None = None
        self.count = 0

    def running(self) -> list[str]:
        return self._children.running() if self._children is not None else []

    def fork(self, request: ParseRequest) -> None:
        if self._children is None:
            self._children = self._started()
        self.count += 1
        self._children.fork(request)

    def is_suspect(self, relative_path: str) -> bool:
        return self._children is not None and self._children.is_suspect(relative_path)

    def wait(self, timeout_s: float) -> list[FinishedParse]:
        return self._children.wait(timeout_s) if self._children is not None else []

    def stop(self) -> None:
        if self._children is not None:
            self._children.stop()

    def _started(self) -> ParseChildren:
        from ..scheduler.parse_children import ParseChildren, ParseLimits, make_zygote
        from ..scheduler.parse_main import answerer
        from ..scheduler.parse_settings import load_parse_settings
        from ..sdk.configuration import conf

        settings = load_parse_settings(conf)
        children = ParseChildren(
            make_zygote(),
            self._services.clock,
            answerer(self._services.store, self._services.clock),
            ParseLimits(settings.time_limit_s, settings.memory_limit_bytes),
        )
        children.start()
        return children


def parse_folder(
    services: Services,
    *,
    is_forced: bool = False,
    is_everything: bool = False,
    has_errors_again: bool = False,
) -> int:
    """Take in the DAGs folder, unless a server does so all the time; return the files parsed.

    Args:
        is_forced: do it although a server is running.
        is_everything: also files that did not change.
        has_errors_again: also files that did not load the last time: what they lacked may be
            there now. Not always, because one that never ends costs its whole time limit.
    """
    from ..database.bell import bell_folder
    from ..scheduler.parse_manager import ParseManager
    from ..scheduler.parse_settings import load_parse_settings
    from ..scheduler.standby import FileLock
    from ..sdk.configuration import conf, home

    lock = FileLock(bell_folder(home()) / "parser.lock")
    has_lock = lock.acquire()
    if not has_lock and not is_forced:
        return 0
    logging.getLogger("tradewind.scheduler").setLevel(logging.CRITICAL)  # errors are in the rows
    settings = load_parse_settings(conf)
    children = _LateChildren(services)
    manager = ParseManager(
        store=services.store,
        clock=services.clock,
        children=children,
        settings=settings,
        ring=services.store.bell.ring,
    )
    try:
        manager.start()
        for row in services.store.files.load_all():
            if is_everything or (has_errors_again and row.error):
                manager.parse_again(row.relative_path)
        manager.run_once(0)
        until_s = 0.0
        if _is_a_file_gone(services, settings):
            until_s = services.clock.monotonic() + GONE_S
        while not manager.is_idle() or services.clock.monotonic() < until_s:
            manager.run_once(TURN_S)
    finally:
        children.stop()
        lock.release()
    return children.count


def _is_a_file_gone(services: Services, settings: ParseSettings) -> bool:
    """Tell whether a file that the database has is not in the folders any more."""
    folders = [root.folder for root in settings.roots]
    return any(
        row.is_present
        and not (
            Path(row.path).exists()
            and any(Path(row.path).is_relative_to(folder) for folder in folders)
        )
        for row in services.store.files.load_all()
    )


def known_dag(services: Services, dag_id: str) -> DagRow:
    """Return a DAG, after its file has been parsed where no server does that.

    Raises:
        DagNotFound: there is no such DAG.
    """
    parse_folder(services)
    if services.store.dags.find(dag_id) is None:
        parse_folder(services, has_errors_again=True)
    return services.store.dags.get(dag_id)


def parse_if_unknown(services: Services, dag_id: str) -> None:
    """Take in the folder where the DAG is not known, and no server does so."""
    if services.store.dags.find(dag_id) is None:
        parse_folder(services, has_errors_again=True)
