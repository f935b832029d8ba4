"""``db``: the metadata database."""

from __future__ import annotations

import os
from typing import Any

import click

from .command import command, confirm, yes_option
from .lazy_group import LazyGroup

db = LazyGroup(
    "db",
    {
        "migrate": ("db:migrate", "Create the database, or bring it up to date."),
        "init": ("db:init", "The same as migrate."),
        "upgrade": ("db:upgrade", "The same as migrate."),
        "reset": ("db:reset", "Delete everything, and create it anew."),
        "check": ("db:check", "Tell whether the database answers."),
        "check-migrations": ("db:check_migrations", "Wait until the database is up to date."),
        "shell": ("db:shell", "Open the database's own command line."),
        "downgrade": ("db:downgrade", "Go back to an older schema."),
        "clean": ("db_clean:clean", "Remove old history."),
        "export-archived": ("db_clean:export_archived", "Write what was removed to files."),
        "drop-archived": ("db_clean:drop_archived", "Remove for good what was removed."),
    },
    help="The metadata database.",
)


#: Airflow 3 keeps users and roles in tables of their own; scripts bring these up to date, too.
fab_db = LazyGroup(
    "fab-db",
    {"migrate": ("db:migrate", "Create the database, or bring it up to date.")},
    help="Users and roles: part of the metadata database.",
)


def _migration_options(function: Any) -> Any:
    for option in (
        click.option("-n", "--to-version", hidden=True),
        click.option("-r", "--to-revision", hidden=True),
        click.option("--from-version", hidden=True),
        click.option("--from-revision", hidden=True),
        click.option("-s", "--show-sql-only", is_flag=True, hidden=True),
        click.option("-m", "--use-migration-files", is_flag=True, hidden=True),
        click.option("--reserialize-dags/--no-reserialize-dags", default=True, hidden=True),
    ):
        function = option(function)
    return function


def _migrate(options: dict[str, Any]) -> None:
    from ..control.schema import migrate_database

    if any(options.get(name) for name in ("to_version", "to_revision", "show_sql_only")):
        raise click.ClickException(
            "Tradewind migrates to its own newest version only; leave out the revision options."
        )
    migrate_database()
    click.echo("Database migrating done!")


@command("migrate")
@_migration_options
def migrate(**options: Any) -> None:
    """Create the database, or bring it up to date. Doing it again changes nothing."""
    _migrate(options)


@command("init")
def init() -> None:
    """Create the database, or bring it up to date."""
    _migrate({})


@command("upgrade")
@_migration_options
def upgrade(**options: Any) -> None:
    """Create the database, or bring it up to date."""
    _migrate(options)


@command("reset")
@yes_option
@click.option("-s", "--skip-init", is_flag=True, help="Only delete.")
@click.option("-m", "--use-migration-files", is_flag=True, hidden=True)
def reset(yes: bool, skip_init: bool, use_migration_files: bool) -> None:
    """Delete all rows of the database, and create it anew."""
    from ..control.schema import database_name, reset_database

    if not confirm(f"This deletes everything in {database_name()}. Proceed?", is_agreed=yes):
        raise click.ClickException("Cancelled")
    reset_database(is_created_again=not skip_init)
    click.echo("Database deleted." if skip_init else "Database reset done!")


@command("check")
@click.option("--retry", type=int, default=0, show_default=True, help="How often to try again.")
@click.option("--retry-delay", type=float, default=1, show_default=True, help="Seconds between.")
def check(retry: int, retry_delay: float) -> None:
    """Tell whether the database answers."""
    from ..control.schema import check_connection

    check_connection(retries=retry, delay_s=retry_delay)
    click.echo("Connection successful.")


@command("check-migrations")
@click.option(
    "-t",
    "--migration-wait-timeout",
    type=float,
    default=60,
    show_default=True,
    help="Seconds to wait.",
)
def check_migrations(migration_wait_timeout: float) -> None:
    """Wait until the database is up to date; fail when it is not in time."""
    from ..control.schema import wait_for_schema

    wait_for_schema(timeout_s=migration_wait_timeout)
    click.echo("The database is up to date.")


@command("shell")
def shell() -> None:
    """Open the database's own command line, sqlite3 or psql, in place of this command."""
    from ..control.schema import shell_command

    program, arguments, variables = shell_command()
    try:
        os.execvpe(program, [program, *arguments], {**os.environ, **variables})  # noqa: S606 - no shell wanted
    except FileNotFoundError:
        raise click.ClickException(f"{program} is not installed, or not on the PATH.") from None


@command("downgrade")
@click.option("-r", "--to-revision", help="The revision to go back to.")
@click.option("-n", "--to-version", hidden=True)
@click.option("--from-version", hidden=True)
@click.option("--from-revision", hidden=True)
@click.option("-s", "--show-sql-only", is_flag=True, hidden=True)
@yes_option
def downgrade(to_revision: str | None, yes: bool, **options: Any) -> None:
    """Go back to an older schema, for an older release; history stays. Stop all services first."""
    from ..control.schema import downgrade_database

    if to_revision is None or any(options.values()):
        raise click.ClickException("Name the revision to go back to by --to-revision, alone.")
    question = f"This changes the schema back to {to_revision}. Proceed?"
    if not confirm(question, is_agreed=yes):
        raise click.ClickException("Cancelled")
    click.echo(downgrade_database(to_revision))
