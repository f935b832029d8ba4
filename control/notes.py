"""Notes: what a person writes beside a run or a task instance, for others to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .input import InvalidInput

if TYPE_CHECKING:
    from .services import Services

NOTE_LENGTH_MAX = 1000


def set_note(
    services: Services,
    dag_id: str,
    run_id: str,
    note: str,
    *,
    task_id: str | None = None,
    map_index: int = -1,
) -> None:
    """Write the note of a run, or of a task instance where *task_id* is given; empty removes it.

    Raises:
        NotFound: what was named is not there.
        InvalidInput: the note is too long.
    """
    if len(note) > NOTE_LENGTH_MAX:
        raise InvalidInput(f"A note has at most {NOTE_LENGTH_MAX} characters, not {len(note)}")
    if task_id is None:
        services.store.runs.set_note(dag_id, run_id, note, services.now(), services.actor)
        return
    row = services.store.task_instances.get(dag_id, run_id, task_id, map_index)
    # First what can be refused: a note on a DAG that the caller may not change.
    services.store.events.record(
        "task.note",
        now=services.now(),
        actor=services.actor,
        dag_id=dag_id,
        run_id=run_id,
        task_id=task_id,
        map_index=map_index,
    )
    services.store.task_instances.set_note(row.id, note)
