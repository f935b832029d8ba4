"""What tasks ask people: found, answered once, cut for those who may not see the DAG."""

from __future__ import annotations

import json

import pytest
from tradewind.database.caller import Caller, caller
from tradewind.database.listings import Where

QUESTION = {"subject": "Deploy?", "body": "All **green**", "options": ["yes", "no"]}
TRIGGER = {
    "class_path": "a.Trigger",
    "kwargs": "{}",
    "next_method": "execute_complete",
    "next_kwargs": "{}",
    "timeout_s": None,
}
ANSWER = {"chosen_options": ["yes"], "responded_by_user": {"id": "ada", "name": "Ada"}}


@pytest.fixture
def ask(house, task):
    """Run a task of a new DAG up to where it waits for a person."""

    def ask(dag_id: str, **question):
        house.add(task("ask"), dag_id=dag_id)
        house.run(dag_id=dag_id)
        (claim,) = house.claim()
        house.store.xcoms.set(
            dag_id=dag_id,
            run_id="r",
            task_id="ask",
            map_index=-1,
            key="hitl_detail",
            value=json.dumps({**QUESTION, **question}),
            length=None,
            now=house.now,
        )
        house.finish(claim, "deferred", trigger=TRIGGER)
        return house.one("ask", dag_id=dag_id)

    return ask


def answer(house, row):
    text = json.dumps(ANSWER)
    return house.store.questions.answer(row, text, None, ["yes"], house.now, "user:ada")


def test_a_question_waits_until_it_is_answered_and_is_answered_once(house, ask):
    row = ask("shop")
    questions = house.store.questions

    (waiting,) = questions.waiting(10)
    assert (waiting.instance.id, questions.count_waiting()) == (row.id, 1)
    assert (json.loads(waiting.question)["subject"], waiting.answer) == ("Deploy?", None)

    assert answer(house, row) is True
    assert answer(house, row) is False

    assert (questions.waiting(10), questions.count_waiting()) == ([], 0)
    assert json.loads(questions.find(row.id).answer) == ANSWER
    (entry,) = [one for one in house.store.events.list(dag_id="shop") if "answer" in one.kind]
    assert (entry.actor, entry.detail) == ("user:ada", {"options": ["yes"]})


def test_questions_are_filtered_by_what_they_ask_and_who_answered(house, ask):
    answer(house, ask("shop"))
    ask("model", subject="Train?")

    def dags(*where, **more):
        found = house.store.questions.list(where, ["-created_at", "subject"], 10, 0, **more)
        return [one.instance.dag_id for one in found.rows], found.total

    assert dags(Where("subject", "part", "train")) == (["model"], 1)
    assert dags(Where("responded_by_user_name", "in", ["Ada"])) == (["shop"], 1)
    assert dags(is_answered=False) == (["model"], 1)
    assert dags(is_answered=True) == (["shop"], 1)
    assert sorted(dags()[0]) == ["model", "shop"]


def test_readers_of_one_dag_see_its_questions_only_answered_or_not(house, ask):
    ask("shop")
    answer(house, ask("model"))
    ask("secret")
    readable = frozenset({"shop", "model"})
    token = caller.set(Caller(address="", readable=readable, changeable=frozenset()))
    try:
        found = house.store.questions.list([], ["dag_id"], 10, 0)
        counted = house.store.questions.count_waiting()
    finally:
        caller.reset(token)

    assert [one.instance.dag_id for one in found.rows] == ["model", "shop"]
    assert [one.answer is None for one in found.rows] == [False, True]
    assert counted == 1
