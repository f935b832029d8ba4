"""``DagBag``: all DAGs of a folder in this process, as users' own tests ask for them.

It imports DAG files where it is called. The scheduler never uses it: it works from serialized
DAGs, and imports user code in children only.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..runtime.task.dag_file import load_dag_file, prepare_import_paths
from ..sdk.configuration import conf, dags_folder
from ..sdk.exceptions import AirflowDagDuplicatedIdException
from .discovery import find_files, read_content
from .parse_settings import load_parse_settings

if TYPE_CHECKING:
    from ..sdk.dag import DAG


class DagBag:
    """The DAGs of a file or a folder. ``dags``: by id. ``import_errors``: text by path."""

    def __init__(
        self,
        dag_folder: str | os.PathLike[str] | None = None,
        include_examples: bool = False,
        safe_mode: bool | None = None,
        collect_dags: bool = True,
        **ignored: Any,
    ) -> None:
        """Load everything at once, unless *collect_dags* is false.

        Args:
            dag_folder: a folder or one file; None: the DAGs folder.
            include_examples: load the examples of the package too.
            safe_mode: leave out files whose text does not mention DAGs; None: as configured.
            ignored: what Airflow's bag takes besides, such as ``read_dags_from_db``.
        """
        self.dag_folder = str(dags_folder() if dag_folder is None else dag_folder)
        self.dags: dict[str, DAG] = {}
        self.import_errors: dict[str, str] = {}
        if collect_dags:
            self.collect_dags(include_examples=include_examples, safe_mode=safe_mode)

    @property
    def dag_ids(self) -> list[str]:
        """The ids of all DAGs in the bag."""
        return list(self.dags)

    def size(self) -> int:
        """Return how many DAGs are in the bag."""
        return len(self.dags)

    def get_dag(self, dag_id: str) -> DAG | None:
        """Return one DAG, None where the bag has none of that id."""
        return self.dags.get(dag_id)

    def collect_dags(
        self,
        dag_folder: str | os.PathLike[str] | None = None,
        include_examples: bool = False,
        safe_mode: bool | None = None,
        **ignored: Any,
    ) -> None:
        """Load every DAG file of a folder, or the one file, into the bag."""
        folders = [Path(dag_folder or self.dag_folder).expanduser()]
        if include_examples:
            folders.append(Path(__file__).parents[1] / "dags")
        is_safe = (
            conf.getboolean("core", "dag_discovery_safe_mode") if safe_mode is None else safe_mode
        )
        prepare_import_paths([folder for folder in folders if folder.is_dir()])
        syntax = load_parse_settings(conf).ignore_syntax
        for folder in folders:
            if folder.is_file():
                self.process_file(str(folder), safe_mode=False)
                continue
            for found in find_files(folder, ignore_syntax=syntax):
                if not found.ignored_reason:
                    self.process_file(str(found.path), safe_mode=is_safe)

    def process_file(
        self, filepath: str, only_if_updated: bool = True, safe_mode: bool = True
    ) -> list[DAG]:
        """Load one file into the bag and return its DAGs; what it raises is an import error."""
        path = Path(filepath)
        try:
            if safe_mode and not read_content(path).mentions_dag:
                return []
            loaded = load_dag_file(path.absolute(), [Path(self.dag_folder)])
            dags = list(loaded.dags.values())
            for dag in dags:
                dag.validate()
                self.bag_dag(dag)
        except (Exception, SystemExit):  # noqa: BLE001 - a DAG file may raise anything
            self.import_errors[filepath] = traceback.format_exc()
            return []
        return dags

    def bag_dag(self, dag: DAG, root_dag: DAG | None = None) -> None:
        """Put one DAG into the bag.

        Raises:
            AirflowDagDuplicatedIdException: a DAG of the same id from another file is there.
        """
        other = self.dags.get(dag.dag_id)
        if other is not None and other.fileloc != dag.fileloc:
            raise AirflowDagDuplicatedIdException(
                dag_id=dag.dag_id, incoming=dag.fileloc, existing=other.fileloc
            )
        self.dags[dag.dag_id] = dag
