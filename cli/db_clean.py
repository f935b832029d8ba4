"""``db clean``, ``db export-archived``, ``db drop-archived``: old history, and its copies."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .command import INSTANT, command, services, yes_option

if TYPE_CHECKING:
    from ..database.store import Store


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _confirm(words: str, question: str, *, is_agreed: bool) -> None:
    """Ask for the very words, as Airflow does: a "y" is typed too quickly for this."""
    if is_agreed:
        return
    if click.prompt(f"{question} Enter '{words}' (without quotes) to go on", err=True) != words:
        raise click.ClickException("Cancelled; nothing was removed.")


@command("clean")
@click.option(
    "--clean-before-timestamp",
    type=INSTANT,
    required=True,
    help="History before this goes; of dag runs, those that were due before.",
)
@click.option("-t", "--tables", metavar="NAMES", help="Only these tables, with commas between.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--skip-archive", is_flag=True, help="Keep no copy of what goes.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Runs, or rows, at once.",
)
@click.option("--dag-ids", metavar="IDS", help="Only of these DAGs, with commas between.")
@click.option("--exclude-dag-ids", metavar="IDS", help="Not of these DAGs.")
@click.option(
    "--error-on-cleanup-failure", is_flag=True, help="Accepted; a failure always exits 1."
)
@yes_option
def clean(
    clean_before_timestamp: datetime,
    tables: str | None,
    dry_run: bool,
    skip_archive: bool,
    batch_size: int,
    dag_ids: str | None,
    exclude_dag_ids: str | None,
    error_on_cleanup_failure: bool,
    yes: bool,
) -> None:
    """Remove finished runs and other history from before an instant, in batches.

    Each DAG keeps its newest scheduled run. Removed rows go to tables called
    _airflow_deleted__TABLE__TIME, which export-archived writes to files and drop-archived removes.
    """
    from ..database.clean import CleanRequest

    request = CleanRequest(
        before=clean_before_timestamp,
        tables=_tables(tables),
        dag_ids=_names(dag_ids),
        excluded_dag_ids=_names(exclude_dag_ids),
        is_archived=not skip_archive,
        batch_size=batch_size,
    )
    with services(None if dry_run else "db_clean") as opened:
        found = opened.store.clean.count(request)
        for name, count in found.items():
            click.echo(f"{name}: {count} rows before {clean_before_timestamp.isoformat()}")
        if dry_run or not any(found.values()):
            return
        _confirm("delete rows", "These rows will be removed.", is_agreed=yes)
        cleaned = opened.store.clean.remove(request, opened.now(), opened.actor)
    for name, count in cleaned.rows.items():
        kept = f", kept in {cleaned.archives[name]}" if name in cleaned.archives else ""
        click.echo(f"{name}: {count} rows removed{kept}")


def _tables(text: str | None) -> list[str]:
    from ..database.clean import ALIASES, TABLES

    if text is None:
        return list(TABLES)
    chosen: list[str] = []
    for name in _names(text):
        known = ALIASES.get(name, name)
        if known in TABLES:
            chosen.append(known)
        else:
            click.echo(f"{name}: no such table to clean; skipped", err=True)
    if not chosen:
        raise click.ClickException(f"No table is left to clean; there are: {', '.join(TABLES)}")
    return chosen


@command("export-archived")
@click.option("--export-format", type=click.Choice(["csv"]), default="csv", show_default=True)
@click.option(
    "--output-path",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the files.",
)
@click.option("-t", "--tables", metavar="NAMES", help="Only these archives.")
@click.option("--drop-archives", is_flag=True, help="Remove them afterwards.")
@yes_option
def export_archived(
    export_format: str, output_path: Path, tables: str | None, drop_archives: bool, yes: bool
) -> None:
    """Write what db clean removed to files, one a table."""
    if not output_path.is_dir():
        raise click.ClickException(f"{output_path} is no folder; make it, or name another.")
    if drop_archives:
        _confirm("export and drop", "The archives will be dropped afterwards.", is_agreed=yes)
    with services("db_export_archived") as opened:
        for name in _archives(opened.store, tables):
            try:
                path = opened.store.clean.export_archive(name, output_path)
            except OSError as error:
                raise click.ClickException(f"{name} cannot be written: {error}") from error
            click.echo(str(path))
            if drop_archives:
                opened.store.clean.drop_archive(name)


@command("drop-archived")
@click.option("-t", "--tables", metavar="NAMES", help="Only these archives.")
@yes_option
def drop_archived(tables: str | None, yes: bool) -> None:
    """Remove for good what db clean has kept."""
    with services("db_drop_archived") as opened:
        names = _archives(opened.store, tables)
        if not names:
            click.echo("There are no archives.")
            return
        click.echo("\n".join(names))
        _confirm("drop archived tables", "These tables will be dropped.", is_agreed=yes)
        for name in names:
            opened.store.clean.drop_archive(name)
            click.echo(f"{name} dropped")


def _archives(store: Store, tables: str | None) -> list[str]:
    """Return the archives of some tables, named by their own name or by their table's."""
    from ..database.clean import ALIASES, ARCHIVE_PREFIX

    names = store.clean.archives()
    if tables is None:
        return names
    wanted = {ALIASES.get(name, name) for name in _names(tables)}
    return [
        name
        for name in names
        if name in wanted or name.removeprefix(ARCHIVE_PREFIX).rsplit("__", 1)[0] in wanted
    ]
