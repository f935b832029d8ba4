"""What a task asks people, and how an answer is checked (semantics section 7.9).

A question is an XCom of the task, the answer another one: operators, verbs and pages read them
by these keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import TradewindError
from .run_conf import ConfDoesNotFit, check_param

if TYPE_CHECKING:
    from .serialized import SerializedParam

QUESTION_KEY = "hitl_detail"
ANSWER_KEY = "hitl_response"


class AnswerDoesNotFit(TradewindError):
    """An answer is not one of those that were asked for; the text says why."""


def params_of(question: Mapping[str, Any]) -> list[SerializedParam]:
    """Return what is to be entered, with schemas.

    Questions that were asked before they had schemas hold values only.
    """
    from .serialized import SerializedParam  # late: task processes need the keys only

    specs = question.get("param_specs") or {}
    return [
        SerializedParam(
            name=name,
            has_default=(specs.get(name) or {}).get("has_default", True),
            default=value,
            description=(specs.get(name) or {}).get("description") or "",
            schema=(specs.get(name) or {}).get("schema") or {},
        )
        for name, value in (question.get("params") or {}).items()
    ]


def check_answer(
    question: Mapping[str, Any], options: Sequence[str], entered: Mapping[str, Any], about: str
) -> dict[str, Any]:
    """Return what is entered in full, with defaults for what was left out.

    Args:
        about: what the errors call the task.

    Raises:
        AnswerDoesNotFit: the options or the params are not those that are asked for.
    """
    known = question["options"]
    if not options or any(one not in known for one in options):
        raise AnswerDoesNotFit(f"{about} can be answered with: {', '.join(known)}.")
    if len(set(options)) != len(options):
        raise AnswerDoesNotFit(f"{about} was given one option twice.")
    if len(options) > 1 and not question.get("multiple"):
        raise AnswerDoesNotFit(f"{about} takes one option, not {len(options)}.")
    params = params_of(question)
    strange = sorted(set(entered) - {param.name for param in params})
    if strange:
        raise AnswerDoesNotFit(f"{about} does not ask for {', '.join(strange)}.")
    given = {}
    for param in params:
        if param.name not in entered and not param.has_default:
            raise AnswerDoesNotFit(f"{about} needs a value for {param.name!r}.")
        given[param.name] = entered.get(param.name, param.default)
        try:
            check_param(f"{param.name!r} of {about}", given[param.name], param.schema)
        except ConfDoesNotFit as error:
            raise AnswerDoesNotFit(str(error)) from None
    return given
