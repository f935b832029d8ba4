"""What tasks ask people, and the answers (human in the loop; semantics section 7.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..database.errors import AlreadyExists, NotFound
from ..sdk.human_input import ANSWER_KEY, AnswerDoesNotFit, check_answer
from ..sdk.states import TaskInstanceState
from ..sdk.xcom_serialization import decode, encode
from .access import AccessDenied
from .input import InvalidInput

if TYPE_CHECKING:
    from ..database.questions import QuestionRow
    from ..database.values import TaskInstanceRow
    from .services import Services


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person chose and entered; ``user`` is empty where time has answered."""

    chosen_options: Sequence[str]
    params_input: Mapping[str, Any]
    at: datetime
    user: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the newest try of a task instance asks. ``asked``: as the operator has stored it."""

    instance: TaskInstanceRow
    run_after: datetime
    asked_at: datetime
    asked: Mapping[str, Any]
    answer: Answer | None

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still taken."""
        return self.answer is None and self.instance.state is TaskInstanceState.DEFERRED

    @property
    def assigned_users(self) -> Sequence[str]:
        """Names of those who may answer; none: everybody who may change the DAG."""
        return list(self.asked.get("assigned_users") or ())

    def may_answer(self, user_name: str) -> bool:
        """Tell whether it asks this person."""
        return not self.assigned_users or user_name in self.assigned_users


def read_question(row: QuestionRow) -> Question:
    """Return a question of the store as plain values."""
    asked = decode(row.question)
    asked = asked if isinstance(asked, Mapping) else {}
    shown = {"subject": "", "options": [], "params": {}, **asked}
    return Question(row.instance, row.run_after, row.asked_at, shown, _read_answer(row))


def _read_answer(row: QuestionRow) -> Answer | None:
    found = None if row.answer is None else decode(row.answer)
    if not isinstance(found, Mapping):
        return None
    at = found.get("responded_at")
    user = found.get("responded_by_user") or {}
    return Answer(
        chosen_options=list(found.get("chosen_options") or ()),
        params_input=dict(found.get("params_input") or {}),
        at=datetime.fromisoformat(at) if isinstance(at, str) else row.asked_at,
        user=str(user.get("name") or user.get("id") or "") if isinstance(user, Mapping) else "",
    )


def waiting_questions(services: Services, limit: int) -> list[Question]:
    """Return what waits for a person, the longest waiting first."""
    return [read_question(row) for row in services.store.questions.waiting(limit)]


def find_question(services: Services, row: TaskInstanceRow) -> Question:
    """Return what a task instance asks, or has asked.

    Raises:
        NotFound: it has asked nothing.
    """
    found = services.store.questions.find(row.id)
    if found is None:
        raise NotFound(
            f"The task instance {row.task_id!r} of the run {row.run_id!r} asks nobody anything: "
            f"it is {row.state.value}."
        )
    return read_question(found)


def respond(
    services: Services,
    row: TaskInstanceRow,
    options: Sequence[str],
    entered: Mapping[str, Any] | None = None,
) -> Answer:
    """Answer a task; it goes on within seconds.

    Args:
        entered: values of the params that are asked for; those left out keep their defaults.

    Raises:
        NotFound: it asks nothing.
        AlreadyExists: somebody was faster, or it waits no longer.
        InvalidInput: the options or params are not those that it asks for.
        AccessDenied: it asks somebody else.
    """
    question = find_question(services, row)
    if question.answer is not None:
        raise AlreadyExists(f"The task {row.task_id!r} was answered already.")
    if not question.is_waiting:
        raise AlreadyExists(
            f"The task {row.task_id!r} does not wait for an answer any more: it is "
            f"{row.state.value}."
        )
    if not question.may_answer(services.user_name):
        wanted = ", ".join(question.assigned_users)
        raise AccessDenied(f"Only {wanted} may answer the task {row.task_id!r}.")
    try:
        given = check_answer(question.asked, options, entered or {}, f"The task {row.task_id!r}")
    except AnswerDoesNotFit as error:
        raise InvalidInput(str(error)) from None
    now, name = services.now(), services.user_name
    response = {
        "chosen_options": list(options),
        "params_input": given,
        "responded_at": now.isoformat(),
        "responded_by_user": {"id": name, "name": name},
    }
    text, length = encode(response, task_id=row.task_id, key=ANSWER_KEY)
    is_first = services.store.questions.answer(row, text, length, options, now, services.actor)
    if not is_first:
        raise AlreadyExists(f"The task {row.task_id!r} was answered already.")
    return Answer(list(options), given, now, name)
