"""What tasks ask people: the list of what waits, and the form that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import answers
from ..sdk.errors import TradewindError
from ..sdk.human_input import params_of
from .auth import may, requires
from .params_form import make_fields, read_answer
from .services import acting_services, services

if TYPE_CHECKING:
    from ..control.answers import Question
    from ..database.values import TaskInstanceRow

blueprint = Blueprint("questions", __name__)

LISTED_MAX = 200


@blueprint.get("/required_actions")
@requires("read")
def index() -> ResponseReturnValue:
    """List the tasks that wait for a person, the longest waiting first."""
    found = answers.waiting_questions(services(), LISTED_MAX + 1)
    return render_template(
        "questions.html",
        questions=found[:LISTED_MAX],
        has_more=len(found) > LISTED_MAX,
        can_answer=can_answer,
        live="idle",
    )


def can_answer(question: Question) -> bool:
    """Tell whether the reader may answer: changes the DAG, and is not passed over."""
    name = acting_services().user_name
    return may("edit", question.instance.dag_id) and question.may_answer(name)


def find_question(instance: TaskInstanceRow) -> Question | None:
    """Return what a task instance asks or has asked, None: nothing."""
    row = services().store.questions.find(instance.id)
    return None if row is None else answers.read_question(row)


def _instance(dag_id: str, run_id: str, task_id: str) -> TaskInstanceRow:
    map_index = request.values.get("map_index", -1, type=int)
    return services().store.task_instances.get(dag_id, run_id, task_id, map_index)


@blueprint.get("/dags/<dag_id>/runs/<run_id>/tasks/<task_id>/answer")
@requires("read")
def form(dag_id: str, run_id: str, task_id: str) -> ResponseReturnValue:
    """Show what a task asks, with the inputs that answer it."""
    question = answers.find_question(services(), _instance(dag_id, run_id, task_id))
    return _page(question, {}, None)


def _page(question: Question, typed: dict[str, str], error: str | None) -> str:
    row, asked = question.instance, question.asked
    chosen = request.form.getlist("option") if error else list(asked.get("defaults") or ())
    about: dict[str, Any] = {
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "task_id": row.task_id,
        "map_index": row.map_index if row.map_index >= 0 else None,
    }
    return render_template(
        "question.html",
        question=question,
        place=about,
        fields=make_fields(params_of(asked), typed if error else None),
        chosen=chosen,
        error=error,
        can_answer=can_answer(question),
        example={"options": chosen or list(asked["options"][:1]), "params": asked["params"]},
        section="browse",
    )


@blueprint.post("/dags/<dag_id>/runs/<run_id>/tasks/<task_id>/answer")
@requires("edit")
def answer(dag_id: str, run_id: str, task_id: str) -> ResponseReturnValue:
    """Take the answer; a refusal keeps what was typed."""
    instance = _instance(dag_id, run_id, task_id)
    question = answers.find_question(services(), instance)
    typed = dict(request.form)
    try:
        entered = read_answer(params_of(question.asked), typed)
        options = request.form.getlist("option")
        answers.respond(acting_services(), instance, options, entered)
    except TradewindError as error:
        return _page(question, typed, str(error)), 400
    flash(f"Answered {task_id}: {', '.join(options)}.")
    return redirect(
        url_for(
            "task_instances.show",
            dag_id=dag_id,
            run_id=run_id,
            task_id=task_id,
            map_index=instance.map_index if instance.map_index >= 0 else None,
        )
    )
