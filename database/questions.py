"""What tasks ask people, and what people answered (semantics section 7.9).

A question is an XCom of the task that waits, its answer another one beside it. Both go when the
task is handed out again, as all its XComs do: only the newest try has them.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text, and_, cast, func, literal_column, select, text

from ..sdk.human_input import ANSWER_KEY, QUESTION_KEY
from .event_writes import Event, write_events
from .listing_fields import INSTANCE_FIELDS
from .listings import Listed, Where, conditioned, read_page
from .operations import Operations
from .tables import dag_run, xcom
from .tables import task_instance as instance
from .tables.runs import OCCUPYING
from .task_instances import instance_row
from .values import TaskInstanceRow
from .xcom_writes import write_xcoms


def _of_instance(table: Any, key: str) -> Any:
    return and_(
        table.c.dag_run_id == instance.c.dag_run_id,
        table.c.task_id == instance.c.task_id,
        table.c.map_index == instance.c.map_index,
        # A literal, not a parameter: only so is the index of questions of use.
        table.c.key == literal_column(f"'{key}'"),
    )


def _of_answer(column: str) -> Any:
    """Return a column of the answer, NULL where there is none.

    No outer join: readers of few DAGs would lose what has no answer (see ``row_cuts``).
    """
    answer = xcom.alias("answer")
    found = select(answer.c[column]).where(_of_instance(answer, ANSWER_KEY))
    return found.correlate(instance).scalar_subquery()


#: SQLite's CAST to a type that it does not know makes a number of the text.
_JSON = JSON().with_variant(Text(), "sqlite")
_QUESTION = cast(xcom.c.value, _JSON)
_ANSWERER = cast(_of_answer("value"), _JSON)["responded_by_user"]
_ANSWERED_AT = _of_answer("created_at")
_FIELDS: Mapping[str, Any] = {
    **INSTANCE_FIELDS,
    "ti_id": instance.c.id,
    "task_display_name": instance.c.task_id,
    "task_instance_state": instance.c.state,
    "task_instance_operator": instance.c.operator_name,
    "created_at": xcom.c.created_at,
    "responded_at": _ANSWERED_AT,
    "subject": _QUESTION["subject"].as_string(),
    "body": _QUESTION["body"].as_string(),
    "responded_by_user_id": _ANSWERER["id"].as_string(),
    "responded_by_user_name": _ANSWERER["name"].as_string(),
}
_ROWS = (
    select(
        instance,
        dag_run.c.dag_id,
        dag_run.c.run_id,
        dag_run.c.logical_date,
        dag_run.c.run_after,
        xcom.c.value.label("question"),
        xcom.c.created_at.label("asked_at"),
        _of_answer("value").label("answer"),
    )
    .select_from(xcom)
    .join(instance, _of_instance(xcom, QUESTION_KEY))
    .join(dag_run, dag_run.c.id == instance.c.dag_run_id)
)
_IS_WAITING = (
    text(f"task_instance.{OCCUPYING}"),
    instance.c.state == "deferred",
    _ANSWERED_AT.is_(None),
)


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question with its task instance; texts are as ``sdk.xcom_serialization`` wrote them."""

    instance: TaskInstanceRow
    run_after: datetime
    question: str
    asked_at: datetime
    answer: str | None


class QuestionOperations(Operations):
    """``store.questions``: each read is one transaction, and has a limit."""

    def list(
        self,
        where: Sequence[Where],
        order: Sequence[str],
        limit: int,
        offset: int,
        *,
        is_answered: bool | None = None,
    ) -> Listed[QuestionRow]:
        """Return questions, answered or not; None: both.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        statement = conditioned(_ROWS, _FIELDS, where)
        if is_answered is not None:
            at = _ANSWERED_AT
            statement = statement.where(at.is_not(None) if is_answered else at.is_(None))
        with self._database.read() as connection:
            rows, total = read_page(
                connection, statement, _FIELDS, order, instance.c.id, limit, offset
            )
        return Listed([_question(row) for row in rows], total)

    def waiting(self, limit: int) -> builtins.list[QuestionRow]:
        """Return what waits for an answer now, the longest waiting first."""
        statement = _ROWS.where(*_IS_WAITING).order_by(xcom.c.created_at, instance.c.id)
        with self._database.read() as connection:
            return [_question(row) for row in connection.execute(statement.limit(limit))]

    def count_waiting(self) -> int:
        """Return how many task instances wait for an answer now."""
        statement = _ROWS.where(*_IS_WAITING).with_only_columns(func.count())
        with self._database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def find(self, task_instance_id: int) -> QuestionRow | None:
        """Return what the newest try of a task instance asks, or has asked."""
        statement = _ROWS.where(instance.c.id == task_instance_id)
        with self._database.read() as connection:
            row = connection.execute(statement).first()
        return None if row is None else _question(row)

    def answer(
        self,
        row: TaskInstanceRow,
        value: str,
        length: int | None,
        options: Sequence[str],
        now: datetime,
        actor: str,
    ) -> bool:
        """Store an answer, unless there is one or nobody waits for it any more.

        Args:
            value: what the task gets, as ``sdk.xcom_serialization`` wrote it.
            options: what was chosen, for the event log.

        Returns:
            False: it came too late, and nothing was written.
        """
        # Of all: of two people who answer at once, the second must see the first's.
        with self._database.write() as connection:
            waits = select(instance.c.id).where(
                instance.c.id == row.id, instance.c.state == "deferred", _ANSWERED_AT.is_(None)
            )
            if connection.execute(waits).first() is None:
                return False
            place = {"task_id": row.task_id, "map_index": row.map_index}
            stored = {**place, "dag_run_id": row.dag_run_id, "key": ANSWER_KEY}
            write_xcoms(connection, [{**stored, "value": value, "length": length}], now)
            event = Event(
                kind="task.answered",
                actor=actor,
                dag_id=row.dag_id,
                run_id=row.run_id,
                task_id=row.task_id,
                map_index=row.map_index,
                detail={"options": list(options)},
            )
            write_events(connection, [event], now)
        return True


def _question(row: Any) -> QuestionRow:
    return QuestionRow(
        instance=instance_row(row),
        run_after=row.run_after,
        question=row.question,
        asked_at=row.asked_at,
        answer=row.answer,
    )
