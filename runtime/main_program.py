"""Whether a DAG file is the program itself (``python my_dag.py``), and how it then ends."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import weakref
from pathlib import Path

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
