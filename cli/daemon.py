"""A command in the background: detached, with files for its pid, output and log."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


def pid_file(name: str, named: str | None = None) -> Path:
    """Return the file that holds the pid of the daemon called *name*."""
    return _file(name, "pid", named)


def detach(
    name: str,
    *,
    pid: str | None = None,
    stdout: str | None = None,
    stderr: str | None = None,
    log_file: str | None = None,
) -> None:
    """Go on in the background; the calling process ends here with exit code 0.

    Files that are not named are ``{home}/tradewind-<name>.pid``, ``.out`` and ``.err``.

    Raises:
        ClickException: a daemon of this name is running already.
    """
    from ..sdk.configuration import conf

    path = pid_file(name, pid)
    running = running_pid(path)
    if running is not None:
        raise click.ClickException(f"{name} is running already, as process {running} ({path}).")
    path.parent.mkdir(parents=True, exist_ok=True)
    out = _file(name, "out", stdout or log_file)
    error = _file(name, "err", stderr or log_file)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork() > 0:
        os._exit(0)
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    os.umask(int(conf.get("core", "daemon_umask"), 8))
    path.write_text(f"{os.getpid()}\n")
    _redirect(out, error)


def _redirect(out: Path, error: Path) -> None:
    null_fd = os.open(os.devnull, os.O_RDONLY)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    out_fd, error_fd = os.open(out, flags, 0o600), os.open(error, flags, 0o600)
    for source, target in ((null_fd, 0), (out_fd, 1), (error_fd, 2)):
        os.dup2(source, target)
        os.close(source)


def _file(name: str, ending: str, named: str | None) -> Path:
    from ..sdk.configuration import home

    return Path(named).absolute() if named else home() / f"tradewind-{name}.{ending}"


def running_pid(path: Path) -> int | None:
    """Return the process that a pid file names, None if there is none."""
    try:
        pid = int(path.read_text().strip())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid
