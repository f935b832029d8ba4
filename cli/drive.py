"""A scheduler and a runner for as long as one command lasts, where no server is running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STOP_TIMEOUT_S = 8.0
POLL_S = 0.05


@contextmanager
def driven() -> Iterator[Callable[[], bool]]:
    """Run scheduler and runner in child processes inside the block, then stop them.

    Yields a function that tells whether they are at work.

    They are started in a fresh interpreter: this process has a database engine open, which must
    not be carried across a fork.
    """
    from .service_parts import executor_names

    executor_names()
    log_path = _log_path()
    with log_path.open("ab") as log:
        # Its own process group: Ctrl-C is for this command, which stops the others in order.
        keeper = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.drive"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
        )
        try:
            yield lambda: keeper.poll() is None
        finally:
            _stop(keeper)


def _log_path() -> Path:
    from ..sdk.configuration import conf

    folder = Path(conf.get("logging", "base_log_folder")) / "cli"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "backfill.log"


def _stop(keeper: subprocess.Popen[bytes]) -> None:
    """Ask for the end, wait for it, and insist after ``STOP_TIMEOUT_S`` seconds."""
    with suppress(ProcessLookupError):
        keeper.terminate()
    until_s = time.monotonic() + STOP_TIMEOUT_S
    while keeper.poll() is None and time.monotonic() < until_s:
        time.sleep(POLL_S)
    if keeper.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(keeper.pid, signal.SIGKILL)
        keeper.wait()


if __name__ == "__main__":
    from ..runtime.task import process_hygiene
    from .service_parts import run_scheduler_family

    # However the command ends, these end after it, in order: SIGTERM is a request to stop.
    process_hygiene.die_with_parent(os.getppid(), signal.SIGTERM)
    sys.exit(run_scheduler_family(has_parser=False, has_schedule=False))
