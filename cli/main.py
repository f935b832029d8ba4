"""The program: which commands there are, and how each of them ends.

Exit codes: 0 for success and "nothing to do", 1 for a refusal with one line on stderr, 2 for a
usage error (the full help on stdout, then one line on stderr). Never a traceback: what was not
expected is written to a file that the one line names. Source: ``docs/cli.md``, section 1.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from .lazy_group import LazyGroup

COMMANDS = {
    "standalone": ("standalone:standalone", "Start everything: database, scheduler, runner, page."),
    "scheduler": ("scheduler:scheduler", "Start the scheduler, the parser and the runner."),
    "triggerer": ("triggerer:triggerer", "Start a triggerer, for deferred tasks."),
    "dag-processor": ("dag_processor:dag_processor", "Start only the parser of DAG files."),
    "webserver": ("webserver:webserver", "Start the web page and its API."),
    "api-server": ("webserver:webserver", "The same as webserver."),
    "dags": ("dags:dags", "List, run, pause, test and backfill DAGs."),
    "tasks": ("tasks:tasks", "List, run, test, clear and inspect tasks."),
    "backfill": ("backfill:backfill", "Run a DAG over a range of past dates."),
    "assets": ("assets:assets", "Assets (datasets): what DAGs make and wait for."),
    "variables": ("variables:variables", "Variables."),
    "connections": ("connections:connections", "Connections."),
    "pools": ("pools:pools", "Pools."),
    "users": ("users:users", "Users of the web page."),
    "roles": ("roles:roles", "Roles of users, and what they may do."),
    "tokens": ("tokens:tokens", "Personal access tokens, for scripts."),
    "webhooks": ("webhooks:webhooks", "Let systems outside start runs or post asset events."),
    "sync-perm": ("roles:sync_perm", "Accepted: permissions are always up to date."),
    "rotate-fernet-key": (
        "rotate_fernet_key:rotate_fernet_key",
        "Encrypt stored secrets with a new key.",
    ),
    "db": ("db:db", "The metadata database."),
    "fab-db": ("db:fab_db", "Users and roles: part of the metadata database."),
    "celery": ("celery:celery", "Workers of the Celery executor."),
    "plugins": ("plugins:plugins", "Plugins: what they bring, and which are broken."),
    "providers": ("providers:providers", "Provider packages that are installed."),
    "jobs": ("jobs:jobs", "Running schedulers and other services."),
    "config": ("config:config", "Settings and where they come from."),
    "info": ("info:info", "Versions, paths and settings of this install."),
    "version": ("version:version", "Print the version."),
    "cheat-sheet": ("cheat_sheet:cheat_sheet", "Every command in one line."),
}

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
#: What the machine refuses to any program, and what helps.
_MACHINE = {
    errno.EROFS: "Make it writable, or set TRADEWIND_HOME to another folder.",
    errno.EMFILE: "Allow this process more open files (ulimit -n).",
    errno.ENFILE: "The machine has too many open files: end what holds them.",
    errno.ENOMEM: "The machine has no memory left: end what holds it.",
}

root = LazyGroup(
    "tradewind",
    COMMANDS,
    hidden_commands=frozenset({"api-server"}),
    help="Tradewind: schedules and runs Airflow DAGs.",
    epilog="See 'tradewind COMMAND --help' for the options of a command.",
)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code."""
    prepare_streams()
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments), program_name()))


def program_name() -> str:
    """Return the name that the program was called by: tradewind or airflow."""
    name = Path(sys.argv[0]).name
    return name if name in ("tradewind", "airflow") else "tradewind"


def run(arguments: list[str], name: str = "tradewind") -> int:
    """Run one command and return its exit code, after having said what went wrong."""
    unreadable = next((one for one in arguments if not is_text(one)), None)
    if unreadable is not None:
        encoding = sys.getfilesystemencoding()
        return _refuse(f"{name}: error: the argument {unreadable!r} is not {encoding} text", 2)
    try:
        result = root.main(arguments, prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        return _refuse_usage(error)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _refuse(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return 130
    except BrokenPipeError:
        _drop_output()  # whoever read it has gone; nothing is left to say
        return 141
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except OSError as error:
        if error.errno in _FULL:
            return _refuse_full_disk(error)
        if error.errno in _MACHINE:
            named = f"{error.filename}: " if error.filename else ""
            return _refuse(f"{named}{error.strerror}. {_MACHINE[error.errno]}")
        return _refuse_error(error, arguments)
    except Exception as error:  # noqa: BLE001 - the roof: no traceback may reach the user
        return _refuse_error(error, arguments)
    return result if isinstance(result, int) else 0


def prepare_streams() -> None:
    """Make output possible: to closed streams it goes nowhere, and no letter is too strange."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell: <&- or >&-
            mode = "r" if name == "stdin" else "w"
            nowhere = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - stays open
            setattr(sys, name, nowhere)
        elif name != "stdin":
            stream.reconfigure(errors="backslashreplace")


def is_text(argument: str) -> bool:
    """Tell whether an argument could be decoded: Python keeps other bytes as lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in argument)


def _refuse_full_disk(error: OSError) -> int:
    where = f"to {error.filename}" if error.filename else "the output"
    _drop_output()  # what it still holds cannot be written either
    return _refuse(f"Cannot write {where}: no space is left on the device.")


def _drop_output() -> None:
    """Let stdout lead nowhere: Python flushes it once more when it ends, and must not fail."""
    with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _refuse(text: str, exit_code: int = 1) -> int:
    click.echo(text, err=True)
    return exit_code


def _refuse_usage(error: click.UsageError) -> int:
    context = error.ctx
    if context is None:
        return _refuse(error.format_message(), 2)
    click.echo(context.get_help())
    is_bare = isinstance(error, click.exceptions.NoArgsIsHelpError)
    one_line = "a command is missing" if is_bare else " ".join(error.format_message().split())
    return _refuse(f"{context.command_path}: error: {one_line}", 2)


def _refuse_error(error: Exception, arguments: list[str]) -> int:
    from ..sdk.errors import TradewindError

    if isinstance(error, TradewindError):
        return _refuse(str(error) or type(error).__name__)
    from .error_file import write_details

    original = getattr(error, "orig", None)  # of an error of SQLAlchemy, which is not imported here
    if type(original).__module__ == "sqlite3" and type(original).__name__ == "OperationalError":
        from ..control.schema import database_name

        return _refuse(f"The database {database_name()} cannot be used: {original}.")
    first_line = next(iter(str(error).splitlines()), "")
    what = f"{type(error).__name__}: {first_line}".rstrip(": ")
    path = write_details(error, arguments)
    return _refuse(f"{what} (details: {path})" if path else what)
