"""DAG files: what parsing them gave, and which DAGs are in force because of it.

A DAG goes out of force on positive evidence only: its file is gone, or parsed well without it. A
file that fails keeps its DAGs' last good versions (R10).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from ..sdk.serialized import SerializedDag
from .asset_references import write_references
from .event_writes import Event, write_events
from .operations import Operations
from .pages import pages
from .roles import write_file_permissions
from .tables import dag, dag_file, dag_run, dag_source, dag_tag, dag_version
from .upserts import insert_on_conflict
from .values import FileRow, ParsedDag, ParsedFile
from .versions import Version, build
from .watcher_writes import declare_watchers

#: Whose DAG was deleted by a person: it comes back with the next parse.
_OUTDATED = select(dag_file.c.relative_path).where(
    dag_file.c.is_present.is_(True), dag_file.c.content_hash == ""
)

_KNOWN = select(dag).where(dag.c.dag_id == bindparam("dag_id"))


@dataclass(slots=True)
class SavedFile:
    """What saving a file changed."""

    created_dag_ids: list[str] = field(default_factory=list)
    changed_dag_ids: list[str] = field(default_factory=list)
    gone_dag_ids: list[str] = field(default_factory=list)
    #: DAGs that another file has in force already: shown as the file's error.
    problems: list[str] = field(default_factory=list)
    has_new_watchers: bool = False


class FileOperations(Operations):
    """``store.files``: the files of the DAGs folder."""

    def save(self, parsed: ParsedFile, now: datetime) -> SavedFile:
        """Keep what one parse gave: versions that changed, or the error."""
        return self.save_all([parsed], now)[0]

    def save_all(self, files: Sequence[ParsedFile], now: datetime) -> list[SavedFile]:
        """Keep what several parses gave, in this order and in one transaction."""
        with self._database.write() as connection:
            saved = [self._save(connection, parsed, now) for parsed in files]
        if any(one.created_dag_ids or one.changed_dag_ids for one in saved):
            self._ring("scheduler")
        if any(one.has_new_watchers for one in saved):
            self._ring("triggerer")
        self._ring("web")
        return saved

    def _save(self, connection: Connection, parsed: ParsedFile, now: datetime) -> SavedFile:
        saved = SavedFile()
        file_id, is_new = self._save_file(connection, parsed)
        if parsed.dags or parsed.error is None:
            # Where one DAG of a file is bad, the others are as good as ever.
            saved.problems = self._save_dags(connection, file_id, parsed, now, saved)
        if parsed.error is None and not is_new:  # a new one cannot have had another DAG
            kept = [one.dag_id for one in parsed.dags]
            saved.gone_dag_ids = self._retire(connection, file_id, keep=kept)
        if saved.problems:
            told = [parsed.error] if parsed.error is not None else []
            connection.execute(
                update(dag_file)
                .where(dag_file.c.id == file_id)
                .values(error="\n".join([*told, *saved.problems]), error_at=now)
            )
        kinds = (
            ("dag.created", saved.created_dag_ids),
            ("dag.changed", saved.changed_dag_ids),
            ("dag.gone", saved.gone_dag_ids),
        )
        events = [Event(kind, "parser", dag_id) for kind, ids in kinds for dag_id in ids]
        write_events(connection, events, now)
        return saved

    def load_all(self) -> list[FileRow]:
        """Return every file that is there, by path."""
        return self._rows(dag_file.c.is_present.is_(True))

    def get(self, relative_path: str) -> FileRow | None:
        """Return one file, None where it was never parsed."""
        rows = self._rows(dag_file.c.relative_path == relative_path)
        return rows[0] if rows else None

    def outdated(self) -> list[str]:
        """Return the relative paths of files that are to be parsed again though nothing changed."""
        return [row.relative_path for row in self._remembered.rows(_OUTDATED)]

    def import_errors(self) -> list[FileRow]:
        """Return files whose last parse failed."""
        return self._rows(dag_file.c.is_present.is_(True), dag_file.c.error.is_not(None))

    def without_dags(self) -> list[FileRow]:
        """Return files that gave no DAG, with the reason."""
        return self._rows(dag_file.c.is_present.is_(True), dag_file.c.no_dag_reason.is_not(None))

    def request_parse(self, relative_path: str, now: datetime, actor: str) -> bool:
        """Have a file parsed again though nothing of it changed; False: there is no such file."""
        with self._database.write() as connection:
            file_id = connection.execute(
                update(dag_file)
                .where(dag_file.c.relative_path == relative_path, dag_file.c.is_present.is_(True))
                .values(content_hash="")
                .returning(dag_file.c.id)
            ).scalar_one_or_none()
            if file_id is None:
                return False
            named = select(dag.c.dag_id).where(dag.c.file_id == file_id, dag.c.is_active.is_(True))
            ids = list(connection.execute(named).scalars()) or [None]
            write_events(connection, [Event("file.reparse", actor, id_) for id_ in ids], now)
        self._ring("parser")
        return True

    def forget(self, relative_path: str, now: datetime) -> list[str]:
        """A file is gone: its DAGs go out of force, history stays. Return them."""
        with self._database.write() as connection:
            file_id = connection.execute(
                update(dag_file)
                .where(dag_file.c.relative_path == relative_path)
                .values(is_present=False, error=None, error_at=None, no_dag_reason=None)
                .returning(dag_file.c.id)
            ).scalar_one_or_none()
            if file_id is None:
                return []
            gone = self._retire(connection, file_id, keep=())
            write_events(connection, [Event("dag.gone", "parser", id_) for id_ in gone], now)
        self._ring("web")
        return gone

    def _rows(self, *conditions: Any) -> list[FileRow]:
        with self._database.read() as connection:
            rows = connection.execute(
                select(dag_file).where(*conditions).order_by(dag_file.c.relative_path)
            ).all()
            dag_ids: dict[int, list[str]] = {}
            owned = select(dag.c.file_id, dag.c.dag_id).where(dag.c.is_active.is_(True))
            for some in pages([row.id for row in rows]):
                of_some = owned.where(dag.c.file_id.in_(some)).order_by(dag.c.dag_id)
                for file_id, dag_id in connection.execute(of_some):
                    dag_ids.setdefault(file_id, []).append(dag_id)
        return [
            FileRow(
                relative_path=row.relative_path,
                path=row.path,
                content_hash=row.content_hash,
                parsed_at=row.parsed_at,
                duration_s=row.duration_s,
                error=row.error,
                error_at=row.error_at,
                no_dag_reason=row.no_dag_reason,
                warnings=tuple(row.warnings or ()),
                inputs=row.inputs or {},
                is_present=row.is_present,
                dag_ids=tuple(dag_ids.get(row.id, ())),
            )
            for row in rows
        ]

    def _save_file(self, connection: Connection, parsed: ParsedFile) -> tuple[int, bool]:
        """Write the row of a file; return its number, and whether it is new."""
        has_failed = parsed.error is not None
        values = {
            "path": parsed.path,
            "content_hash": parsed.content_hash,
            "parsed_at": parsed.parsed_at,
            "duration_s": parsed.duration_s,
            "error": parsed.error,
            "error_at": parsed.parsed_at if has_failed else None,
            "no_dag_reason": parsed.no_dag_reason,
            "warnings": list(parsed.warnings),
            "inputs": dict(parsed.inputs),
            "is_present": True,
        }
        found: int | None = connection.execute(
            update(dag_file)
            .where(dag_file.c.relative_path == parsed.relative_path)
            .values(values)
            .returning(dag_file.c.id)
        ).scalar_one_or_none()
        if found is not None:
            return found, False
        created: int = connection.execute(
            insert(dag_file)
            .values(relative_path=parsed.relative_path, **values)
            .returning(dag_file.c.id)
        ).scalar_one()
        return created, True

    def _save_dags(
        self,
        connection: Connection,
        file_id: int,
        parsed: ParsedFile,
        now: datetime,
        saved: SavedFile,
    ) -> list[str]:
        """Save the DAGs of a good parse; return what is wrong with single ones."""
        if parsed.dags and parsed.source:
            _keep_source(connection, parsed)
        problems: list[str] = []
        for one in parsed.dags:
            known = connection.execute(_KNOWN, {"dag_id": one.dag_id}).one_or_none()
            is_elsewhere = known is not None and known.file_id != file_id
            other = self._other_file(connection, one.dag_id, file_id) if is_elsewhere else None
            if other is not None:
                problems.append(
                    f"DAG {one.dag_id!r} is already defined in {other}; that one stays in force."
                )
                continue
            try:
                # A serialized DAG that cannot be planned must fail here, not in the loop.
                version = build(0, one.dag_id, 0, _hash(one), one.serialized)
            except ValueError as error:
                problems.append(f"DAG {one.dag_id!r} cannot be used: {error}")
                continue
            self._save_dag(connection, file_id, parsed, one, version, now, saved, known)
            write_file_permissions(connection, one.dag_id, version.dag.access_control)
            cipher = self._ground.cipher
            # What belonged to a DAG of this name went with it: of a new one nothing is to go.
            has_watchers = known is not None or bool(one.watchers)
            if has_watchers and declare_watchers(connection, one.dag_id, one.watchers, cipher, now):
                saved.has_new_watchers = True
        return problems

    def _other_file(self, connection: Connection, dag_id: str, file_id: int) -> str | None:
        """Return the path of another present file that has this DAG in force."""
        statement = (
            select(dag_file.c.path)
            .join(dag, dag.c.file_id == dag_file.c.id)
            .where(
                dag.c.dag_id == dag_id,
                dag.c.is_active.is_(True),
                dag_file.c.is_present.is_(True),
                dag_file.c.id != file_id,
            )
        )
        return connection.execute(statement).scalar_one_or_none()

    def _save_dag(
        self,
        connection: Connection,
        file_id: int,
        parsed: ParsedFile,
        one: ParsedDag,
        version: Version,
        now: datetime,
        saved: SavedFile,
        known: Any,
    ) -> None:
        is_known_hash = False
        if known is not None:
            newest = connection.execute(
                select(dag_version.c.hash).where(dag_version.c.id == known.version_id)
            ).scalar_one()
            is_known_hash = newest == version.hash
        if known is not None and is_known_hash:
            values: dict[str, Any] = {"file_id": file_id, "last_parsed_at": now, "is_active": True}
            if not known.is_active:
                values["needs_planning"] = True
                saved.changed_dag_ids.append(one.dag_id)
            connection.execute(update(dag).where(dag.c.dag_id == one.dag_id).values(values))
            connection.execute(
                update(dag_version)
                .where(dag_version.c.id == known.version_id)
                .values(source_hash=parsed.content_hash)
            )
            return
        if known is None:
            self._create_dag(connection, file_id, parsed, version, one, now)
            saved.created_dag_ids.append(one.dag_id)
        else:
            self._replace_version(connection, file_id, parsed, version, one, now, known)
            saved.changed_dag_ids.append(one.dag_id)
        _set_tags(connection, one.dag_id, version.dag.tags, is_new=known is None)
        write_references(connection, version.dag, now, is_new=known is None)

    def _create_dag(
        self,
        connection: Connection,
        file_id: int,
        parsed: ParsedFile,
        version: Version,
        one: ParsedDag,
        now: datetime,
    ) -> None:
        is_paused = version.dag.is_paused_upon_creation
        if is_paused is None:
            is_paused = self._settings.is_paused_at_creation
        can_be_scheduled = version.dag.timetable.can_be_scheduled
        connection.execute(
            insert(dag).values(
                dag_id=one.dag_id,
                file_id=file_id,
                version_id=0,
                version_number=1,
                is_paused=is_paused,
                created_at=now,
                last_parsed_at=now,
                # Nothing is to be planned where no time makes a run.
                needs_planning=can_be_scheduled,
                # Implied catchup makes one run only for a DAG that nobody un-paused.
                is_first_plan=can_be_scheduled and not is_paused,
                **_dag_values(version.dag),
            )
        )
        version_id = _insert_version(connection, version, 1, one, parsed.content_hash, now)
        connection.execute(
            update(dag).where(dag.c.dag_id == one.dag_id).values(version_id=version_id)
        )

    def _replace_version(
        self,
        connection: Connection,
        file_id: int,
        parsed: ParsedFile,
        version: Version,
        one: ParsedDag,
        now: datetime,
        known: Any,
    ) -> None:
        """A version that no run uses is replaced under its number, else a new number begins."""
        number = known.version_number + 1
        is_used = connection.execute(
            select(exists(select(dag_run.c.id).where(dag_run.c.version_id == known.version_id)))
        ).scalar()
        if not is_used:
            number = known.version_number
            connection.execute(delete(dag_version).where(dag_version.c.id == known.version_id))
        version_id = _insert_version(connection, version, number, one, parsed.content_hash, now)
        connection.execute(
            update(dag)
            .where(dag.c.dag_id == one.dag_id)
            .values(
                file_id=file_id,
                version_id=version_id,
                version_number=number,
                is_active=True,
                last_parsed_at=now,
                needs_planning=True,
                **_dag_values(version.dag),
            )
        )

    def _retire(self, connection: Connection, file_id: int, keep: Sequence[str]) -> list[str]:
        statement = (
            update(dag)
            .where(dag.c.file_id == file_id, dag.c.is_active.is_(True), dag.c.dag_id.not_in(keep))
            .values(
                is_active=False,
                next_run_after=None,
                next_logical_date=None,
                next_data_interval_start=None,
                next_data_interval_end=None,
                next_run_id=None,
            )
            .returning(dag.c.dag_id)
        )
        return sorted(connection.execute(statement).scalars())


def _insert_version(
    connection: Connection,
    version: Version,
    number: int,
    one: ParsedDag,
    source_hash: str,
    now: datetime,
) -> int:
    version_id: int = connection.execute(
        insert(dag_version)
        .values(
            dag_id=one.dag_id,
            version_number=number,
            hash=version.hash,
            serialized=one.serialized,
            source_hash=source_hash,
            created_at=now,
        )
        .returning(dag_version.c.id)
    ).scalar_one()
    return version_id


def _dag_values(serialized: SerializedDag) -> dict[str, Any]:
    """Return the columns that lists and the loop ask for, so that nobody decodes for them."""
    owners = dict.fromkeys(task.owner for task in serialized.tasks)
    return {
        "dag_display_name": serialized.dag_display_name or serialized.dag_id,
        "description": serialized.description,
        "owners": ", ".join(owners)[:2000],
        "dialect": serialized.dialect,
        "is_catchup": serialized.catchup,
        "timetable_summary": serialized.timetable.summary,
        "timetable_description": serialized.timetable.description,
        "is_custom_timetable": serialized.timetable.kind == "custom",
        "max_active_runs": serialized.max_active_runs,
        "max_active_tasks": serialized.max_active_tasks,
    }


def _hash(one: ParsedDag) -> str:
    return hashlib.sha256(one.serialized).hexdigest()


def _set_tags(connection: Connection, dag_id: str, tags: Sequence[str], *, is_new: bool) -> None:
    if not is_new:
        connection.execute(delete(dag_tag).where(dag_tag.c.dag_id == dag_id))
    if tags:
        connection.execute(
            insert(dag_tag), [{"dag_id": dag_id, "name": name} for name in dict.fromkeys(tags)]
        )


def _keep_source(connection: Connection, parsed: ParsedFile) -> None:
    connection.execute(
        insert_on_conflict(dag_source, connection.dialect.name).on_conflict_do_nothing(),
        {"content_hash": parsed.content_hash, "source": parsed.source},
    )
