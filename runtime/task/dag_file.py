"""Importing one DAG file: under which name, with which paths, and what it declared.

Used by the parser child, the task host and the fresh task process, so that a file means the
same in all three. The module's name is unusual on purpose: a DAG file called ``pandas.py`` must
not hide a package, and two files of one name in two folders must not meet.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import extend_path
from typing import TYPE_CHECKING

from ...sdk import dag_context
from ...sdk.cluster_policies import enforce_policies
from ...sdk.configuration import conf
from ...sdk.errors import TradewindError
from ...sdk.module_loading import dag_module_name
from ...sdk.plugins import load_plugins
from . import dag_archive
from .new_modules import ModuleMark

if TYPE_CHECKING:
    from ...sdk.dag import DAG


class DagFileUnreadable(TradewindError):
    """The file is gone, or cannot be read as Python."""


@dataclass(slots=True)
class LoadedFile:
    """An imported DAG file."""

    path: Path
    #: ``hash_content`` of the bytes that were imported.
    content_hash: str
    dags: dict[str, DAG] = field(default_factory=dict)
    #: Files under the local roots that importing it also loaded: helper modules.
    local_files: Sequence[Path] = ()
    #: Ids that more than one DAG object of the file has; ``dags`` holds the last of them.
    duplicate_dag_ids: Sequence[str] = ()
    #: Why cluster policies refuse DAGs of the file, and those that they leave out: neither is in
    #: ``dags``.
    refusals: Sequence[str] = ()
    skipped_dag_ids: Sequence[str] = ()


def hash_content(content: bytes) -> str:
    """Return the hash by which a file's content is known everywhere: 32 hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def prepare_import_paths(roots: Iterable[Path | str]) -> None:
    """Put the DAGs folder, the plugins folder and the like on the import path, once each.

    Behind what is there: a user's ``json.py`` beside a DAG must not replace the library's.
    """
    roots = [root for root in roots if str(root)]
    for root in roots:
        text = str(root)
        if text not in sys.path:
            sys.path.append(text)
    facade = sys.modules.get("airflow")
    # Providers may lie in these folders, beside those that are installed.
    if facade is not None and any(Path(root, "airflow").exists() for root in roots):
        facade.__path__ = extend_path(list(facade.__path__), "airflow")


def mentions_dag(content: bytes) -> bool:
    """Tell whether a text may hold a DAG: safe mode's rule, in any case of letters."""
    text = content.lower()
    return b"dag" in text and (b"airflow" in text or b"tradewind" in text)


def load_dag_file(path: Path, local_roots: Sequence[Path] = ()) -> LoadedFile:
    """Import the file at *path* as itself, never as ``__main__``; of an archive, all in it.

    Args:
        local_roots: folders whose modules count as part of the file (DAGs, plugins).

    Raises:
        DagFileUnreadable: the file cannot be read.
        ArchiveUnreadable: it is called .zip, and is no archive.
        BaseException: whatever importing it raises, also ``SystemExit``.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise DagFileUnreadable(f"cannot read {path}: {error.strerror}") from error
    load_plugins()  # before the file: it may use what they bring
    mark = ModuleMark()
    dags: list[DAG] = []
    for member, text in _files_of(path, source):
        found = _import_source(member, text)
        dags += [dag for dag in found if not any(dag is known for known in dags)]
    enforced = enforce_policies(dags)
    counts = Counter(dag.dag_id for dag in enforced.dags)
    return LoadedFile(
        path=path,
        content_hash=hash_content(source),
        dags={dag.dag_id: dag for dag in enforced.dags},
        local_files=local_files(mark.added(), local_roots),
        duplicate_dag_ids=[dag_id for dag_id, count in counts.items() if count > 1],
        refusals=enforced.refusals,
        skipped_dag_ids=enforced.skipped_dag_ids,
    )


def _files_of(path: Path, source: bytes) -> list[tuple[Path, bytes]]:
    """Return what is to be imported: the file, or the DAG files of an archive."""
    if not dag_archive.is_archive(path):
        return [(path, source)]
    is_safe_mode = conf.getboolean("core", "dag_discovery_safe_mode", fallback=True)
    members = [
        (path / name, text)
        for name, text in dag_archive.dag_members(source, path)
        if not is_safe_mode or mentions_dag(text)
    ]
    if str(path) not in sys.path:
        sys.path.insert(0, str(path))  # the packages within; Airflow puts it first, too
    for member, text in members:
        dag_archive.show_lines(str(member), text)
    return members


def _import_source(path: Path, source: bytes) -> list[DAG]:
    name = dag_module_name(path)
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader, origin=str(path))
    if spec is None:
        raise DagFileUnreadable(f"cannot import {path}")
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        # Compiled from the very bytes that were hashed; a .pyc could be of another version.
        code = compile(source, str(path), "exec", dont_inherit=True)
        with dag_context.file_being_parsed(str(path), (source, code)) as parsed:
            exec(code, module.__dict__)  # noqa: S102 - importing user code is what this is for
        from ...sdk.dag import dags_of_module  # late: it has been imported by now

        return dags_of_module(module, parsed)
    except BaseException:
        sys.modules.pop(name, None)
        raise


def local_files(names: Iterable[str], roots: Sequence[Path]) -> list[Path]:
    """Return the source files, under *roots*, of the modules called *names*."""
    resolved_roots = [root.resolve() for root in roots]
    found: set[Path] = set()
    for name in names:
        file = getattr(sys.modules.get(name), "__file__", None)
        if not isinstance(file, str):
            continue
        path = Path(file)
        if any(root in path.resolve().parents for root in resolved_roots):
            found.add(path)
    return sorted(found)
