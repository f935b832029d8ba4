"""What all commands have in common: -h, -v, -o, -y, dates, and opening the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .lazy_group import CONTEXT_SETTINGS
from .output import FORMATS

if TYPE_CHECKING:
    from ..control.services import Services

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a command with ``-h`` and ``-v``; its docstring is the help."""
    attributes.setdefault("context_settings", CONTEXT_SETTINGS)

    def decorate(function: Callable[..., Any]) -> click.Command:
        return click.command(name, cls=click.Command, **attributes)(verbose_option(function))

    return decorate


def _set_verbose(context: click.Context, _parameter: click.Parameter, is_verbose: bool) -> None:
    import logging

    if is_verbose:
        logging.basicConfig(level=logging.DEBUG)


def verbose_option(function: Function) -> Function:
    """Add ``-v``: log more, to stderr."""
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_set_verbose,
        help="Log more, to stderr.",
    )(function)


def output_option(function: Function) -> Function:
    """Add ``-o``: the format of rows."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="Format of the rows.",
    )(function)


def yes_option(function: Function) -> Function:
    """Add ``-y``: do not ask."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")(function)


def folder_options(function: Function) -> Function:
    """Add the options by which Airflow 2 and 3 name files and bundles."""
    for option in (
        click.option("-S", "--subdir", metavar="PATH", help="File or folder of DAG files."),
        click.option("-B", "--bundle-name", multiple=True, help="Accepted; there is one bundle."),
    ):
        function = option(function)
    return function


def daemon_options(function: Function) -> Function:
    """Add the options of commands that may go to the background."""
    for option in (
        click.option("-D", "--daemon", is_flag=True, help="Run in the background."),
        click.option("--pid", metavar="FILE", help="File that holds the process id."),
        click.option("--stdout", metavar="FILE", help="File for stdout of a daemon."),
        click.option("--stderr", metavar="FILE", help="File for stderr of a daemon."),
        click.option("-l", "--log-file", metavar="FILE", help="File for the log of a daemon."),
    ):
        function = option(function)
    return function


class Instant(click.ParamType):  # type: ignore[type-arg]  # older clicks: not generic
    """An instant; one without a zone is in ``[core] default_timezone``."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        from ..control.input import InvalidInput, parse_instant

        try:
            return parse_instant(value)
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


INSTANT = Instant()


@contextmanager
def services(audit: str | None = None) -> Iterator[Services]:
    """Open the database for one command, and close it.

    Args:
        audit: "dags_trigger": the command changes something, and is recorded under this name.
    """
    from ..control.services import open_services
    from .audit import record, user_name
    from .notices import print_notices

    print_notices()
    opened = open_services(f"user:{user_name()}")
    try:
        if audit is not None:
            record(opened, audit)
        yield opened
    finally:
        opened.store.close()


def confirm(question: str, *, is_agreed: bool) -> bool:
    """Ask a question that y, yes, n and no answer. True at once where *is_agreed*.

    Raises:
        ClickException: there is no terminal to ask at.
    """
    import sys

    if is_agreed:
        return True
    if not sys.stdin.isatty():
        raise click.ClickException(f"{question} Say --yes: there is no terminal to ask at.")
    while True:
        click.echo(f"{question} [y/n] ", nl=False, err=True)
        answer = sys.stdin.readline().strip().lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("n", "no", ""):
            return False
