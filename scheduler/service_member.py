"""One service as a member of a family of processes: its log lines bear its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..runtime.supervise.progress import Progress
from .process_keeper import Member
from .service_log import configure_service_log


def service_member(
    name: str, run: Callable[[Progress], int], *, is_watched: bool = True, **how: Any
) -> Member:
    """Return the member that runs a service.

    Args:
        run: its main function, which notes the turns of its loop.
        is_watched: its loop does note them; one that stops doing so is started anew.
        how: further fields of ``Member``.
    """
    progress = Progress()

    def run_logged() -> int:
        configure_service_log(name)
        return run(progress)

    return Member(name, run_logged, progress=progress if is_watched else None, **how)
