"""DAGs about what tasks hand to each other: see test_xcom.py. They check what they are given."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag, task

VALUES = {
    "text": "grüße\n\u2028 \x00 \ud800",
    "number": 2**70,
    "fraction": 0.1,
    "endless": float("inf"),
    "exact": Decimal("1.10"),
    "yes": True,
    "nothing": None,
    "list": [1, [2, {"three": 3}]],
    "instant": datetime(2024, 2, 29, 12, tzinfo=UTC),
    "length": timedelta(days=1, microseconds=1),
    "set": {1, 2},
    "pair": (1, "two"),
}


@dag(schedule=None)
def kinds():
    @task
    def give():
        return VALUES

    @task
    def take(given):
        assert given == VALUES, given
        assert isinstance(given["pair"], tuple)

    take(give())


@dag(schedule=None)
def large():
    @task
    def give():
        return "x" * 1_000_000

    @task
    def take(given):
        return len(given)

    take(give())


@dag(schedule=None)
def keys():
    @task(multiple_outputs=True)
    def parts():
        return {"left": 1, "right": [2]}

    @task
    def push(ti=None):
        ti.xcom_push("by_hand", {"n": 1})

    @task
    def pull(left, right, ti=None):
        assert (left, right) == (1, [2])
        assert ti.xcom_pull(task_ids="push", key="by_hand") == {"n": 1}
        assert ti.xcom_pull(task_ids="push") is None
        assert ti.xcom_pull(task_ids="nobody", default="no") == "no"
        assert ti.xcom_pull(task_ids=["parts", "push"], key="left") in ([1], [1, None])

    made = parts()
    push() >> pull(made["left"], made["right"])
    made >> [
        BashOperator(task_id="said", bash_command="echo {{ ti.xcom_pull('parts')['left'] }}"),
        BashOperator(task_id="last_line", bash_command="echo one; echo two"),
    ]


@dag(schedule=None)
def mapped_values():
    @task
    def numbers():
        return [3, 1, 2]

    @task
    def words():
        return {"a": 1, "b": 2}

    @task
    def square(number, ti=None):
        if number == 1:
            ti.xcom_push("odd", True)
        return number**2

    @task
    def join(left, right):
        return f"{left}{right}"

    @task
    def check(squares, joined, items, ti=None):
        assert list(squares) == [9, 1, 4], squares
        assert squares[1] == 1
        assert len(squares) == 3
        assert list(joined) == ["34", "12", "23"], list(joined)
        assert sorted(map(tuple, items)) == [("a", 1), ("b", 2)], list(items)
        assert ti.xcom_pull("square", map_indexes=2) == 4
        assert list(ti.xcom_pull("square", map_indexes=[2, 0])) == [4, 9]

    given = numbers()
    squares = square.expand(number=given)
    zipped = given.zip(given.map(lambda n: n + 1))
    joined = join.expand_kwargs(zipped.map(lambda pair: {"left": pair[0], "right": pair[1]}))
    items = task(lambda item: item, task_id="items").expand(item=words())
    check(squares, joined, items)


@dag(schedule=None, max_active_runs=1)
def earlier():
    @task
    def remember(dag_run=None, ti=None):
        before = ti.xcom_pull(task_ids="remember", include_prior_dates=True)
        return (before or 0) + 1

    remember()


@dag(schedule=None)
def cleared():
    @task
    def give(ti=None):
        if ti.try_number == 1:
            ti.xcom_push("only_at_first", 1)
        return ti.try_number

    @task
    def take(given, ti=None):
        return [given, ti.xcom_pull(task_ids="give", key="only_at_first")]

    take(give())


kinds()
large()
keys()
mapped_values()
earlier()
cleared()
