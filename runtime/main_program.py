"""Whether a DAG file is the program itself (``python my_dag.py``), and how it then ends."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import weakref
from pathlib import Path

#: What shells make of a program that wrote into a closed pipe.
EXIT_UNREAD = 141
_registered = False


def is_main_program(fileloc: str) -> bool:
    """Tell whether *fileloc* is the file that Python was started with."""
    main_file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not main_file or not fileloc:
        return False
    return Path(main_file).resolve() == Path(fileloc).resolve()


def exit_with_failure() -> None:
    """Make this process end with exit code 1, after whatever the program still does.

    ``dag.test()`` has to return the run, so it cannot raise; an exit handler cannot change the
    exit code but by leaving at once. So it runs last what older handlers would still do.
    """
    global _registered
    if not _registered:
        _registered = True
        atexit.register(_leave, os.getpid())


def _leave(pid: int) -> None:
    if os.getpid() != pid:
        return  # a process that user code forked ends as it likes
    with contextlib.suppress(Exception):
        finish = getattr(weakref.finalize, "_exitfunc", None)  # temporary folders and the like
        if finish is not None:
            finish()
    with contextlib.suppress(Exception):
        logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(1)


def print_line(line: str) -> None:
    """Print one line; where nobody reads any more (``| head``) end the program without a word."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at its end, and must not fail again.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise SystemExit(EXIT_UNREAD) from None


class _StdoutHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic for typing only
    """Writes to stdout; that nobody reads it is found out by the next ``print_line``."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        if not isinstance(sys.exc_info()[1], BrokenPipeError):
            super().handleError(record)


def show_logs() -> None:
    """Let the program show what its tasks log, unless it has set up logging itself."""
    if not logging.getLogger().handlers:
        logging.basicConfig(
            level=logging.INFO,
            handlers=[_StdoutHandler(sys.stdout)],
            format="[%(asctime)s] %(levelname)s - %(message)s",
        )
