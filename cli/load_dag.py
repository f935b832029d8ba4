"""A DAG object in this process, for commands that run its tasks here: no server, no database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..database.values import DagRow
    from ..sdk.dag import DAG
    from ..sdk.serialized import SerializedDag
    from ..sdk.timetables.base import Timetable


def load_dag(dag_id: str, named: str | None = None) -> DAG:
    """Import DAG files until one declares *dag_id*, and return it.

    Files that mention the id come first; an id that is computed is found in the others.

    Args:
        named: a file or folder to look in; None: the DAGs folder and the examples.

    Raises:
        ClickException: no file declares it; the text names files that do not load.
    """
    from ..runtime.task.dag_file import load_dag_file, prepare_import_paths
    from ..scheduler.parse_settings import load_parse_settings
    from ..sdk.configuration import conf

    settings = load_parse_settings(conf)
    prepare_import_paths(settings.import_folders)
    local_roots = [Path(folder) for folder in settings.import_folders]
    failures: list[str] = []
    others = 0
    for path in _candidates(dag_id, named):
        try:
            loaded = load_dag_file(path, local_roots)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a DAG file may raise anything
            if _mentions(path, dag_id):
                failures.append(f"{path} does not load: {_one_line(error)}.")
            else:
                others += 1
            continue
        if dag_id in loaded.dags:
            return loaded.dags[dag_id]
        failures += [one for one in loaded.refusals if f" DAG {dag_id}: " in one]
    text = f"There is no DAG {dag_id!r} in {named or conf.get('core', 'dags_folder')}."
    if failures:
        text = f"DAG {dag_id!r}: " + " ".join(failures)
    elif others:
        text += f" {others} file(s) do not load: see 'dags list-import-errors'."
    raise click.ClickException(text)


def find_serialized(dag_id: str, named: str | None) -> SerializedDag:
    """Return the serialized DAG: out of the file that was named, else as it is stored.

    A DAG file that is its own command line (``dag.cli()``) need not be in the DAGs folder.

    Raises:
        ClickException, DagNotFound: there is no such DAG.
    """
    from .command import services
    from .parse_first import known_dag

    if named is not None and Path(named).expanduser().is_file():
        from ..sdk.serialize_dag import serialize

        dag = load_dag(dag_id, named)
        return serialize(dag, relative_fileloc=Path(dag.fileloc).name)
    with services() as opened:
        known_dag(opened, dag_id)
        return opened.store.dags.serialized(dag_id)


def own_timetable(row: DagRow) -> Timetable | None:
    """Return the timetable of a DAG whose file declares a class for it; None for all others."""
    if not row.is_custom_timetable:
        return None
    timetable: Timetable = load_dag(row.dag_id, row.fileloc).timetable
    return timetable


def _candidates(dag_id: str, named: str | None) -> Iterator[Path]:
    paths = list(_files(named))
    mentions = {path for path in paths if _mentions(path, dag_id)}
    yield from (path for path in paths if path in mentions)
    yield from (path for path in paths if path not in mentions)


def _files(named: str | None) -> Iterator[Path]:
    from ..scheduler.discovery import find_files
    from ..scheduler.parse_settings import load_parse_settings
    from ..sdk.configuration import conf

    settings = load_parse_settings(conf)
    if named is not None:
        path = Path(named).expanduser().absolute()
        if path.is_file():
            yield path
            return
        if not path.is_dir():
            raise click.ClickException(f"There is no file or folder {named}.")
        folders = [path]
    else:
        folders = [root.folder for root in settings.roots]
    for folder in folders:
        for found in find_files(folder, ignore_syntax=settings.ignore_syntax):
            if not found.ignored_reason:
                yield found.path


def _mentions(path: Path, dag_id: str) -> bool:
    try:
        return dag_id.encode() in path.read_bytes()
    except OSError:
        return False


def _one_line(error: BaseException) -> str:
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}".rstrip(": ")
