"""Mapping, branching and setup by ``dag.test()``: expansion, XCom and rules together."""

from __future__ import annotations

import logging

import pytest
from tradewind.sdk.dag import DAG
from tradewind.sdk.exceptions import AirflowSkipException
from tradewind.sdk.task_decorators import task
from tradewind.sdk.task_group_decorator import task_group


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def states(run) -> dict[str, str]:
    return {one.label: str(one.state) for one in run.get_task_instances()}


@task
def numbers(count):
    return list(range(1, count + 1))


@task
def keep_even(x):
    if x % 2:
        raise AirflowSkipException("odd")
    return x


@task
def collect(values):
    return list(values)


def test_a_result_is_mapped_and_collected_in_order():
    @task
    def twice(x):
        return 2 * x

    with DAG("d", schedule=None) as dag:
        collect(twice.expand(x=numbers(3)))

    run = dag.test()

    assert run.state == "success"
    assert run.get_task_instance("collect").xcom_pull("collect") == [2, 4, 6]


def test_one_failed_instance_fails_an_all_success_reducer_and_not_an_all_done_one():
    """Checkable example 3.4."""

    @task
    def not_two(x):
        if x == 2:
            raise ValueError("as it should")
        return x

    with DAG("d", schedule=None) as dag:
        mapped = not_two.expand(x=numbers(3))
        collect.override(task_id="strict")(mapped)
        collect.override(task_id="tolerant", trigger_rule="all_done")(mapped)

    run = dag.test()

    assert states(run)["strict"] == "upstream_failed"
    assert run.get_task_instance("tolerant").xcom_pull("tolerant") == [1, 3]


def test_nothing_to_map_skips_the_placeholder_and_what_follows():
    """Checkable example 3.6."""
    with DAG("d", schedule=None) as dag:
        collect(keep_even.expand(x=numbers(0)))

    assert states(dag.test()) == {
        "numbers": "success",
        "keep_even": "skipped",
        "collect": "skipped",
    }


def test_skipped_instances_are_left_out_by_a_none_failed_reducer():
    """Checkable example 3.7."""
    with DAG("d", schedule=None) as dag:
        mapped = keep_even.expand(x=numbers(4))
        collect.override(task_id="strict")(mapped)
        collect.override(task_id="tolerant", trigger_rule="none_failed")(mapped)

    run = dag.test()

    assert [states(run)[f"keep_even[{n}]"] for n in range(4)] == ["skipped", "success"] * 2
    assert states(run)["strict"] == "skipped"
    assert run.get_task_instance("tolerant").xcom_pull("tolerant") == [2, 4]


def test_lengths_of_zip_concat_and_product():
    """Checkable example 3.5 and the order of section 3.5."""

    @task
    def show(a, b=None):
        return [a, b]

    with DAG("d", schedule=None) as dag:
        three = numbers(3)
        show.override(task_id="zipped").expand(a=three.zip(three.map(lambda v: v + 100)))
        show.override(task_id="joined").expand(a=three.concat(three))
        show.override(task_id="crossed").expand(a=three, b=["x", "y"])

    run = dag.test()

    pull = run.get_task_instance("numbers").xcom_pull
    assert [list(a) for a, _ in pull("zipped")] == [[1, 101], [2, 102], [3, 103]]
    assert [a for a, _ in pull("joined")] == [1, 2, 3, 1, 2, 3]
    assert pull("crossed") == [[a, b] for a in (1, 2, 3) for b in ("x", "y")]


def test_mapping_over_a_mapped_task_gives_one_instance_for_each_pushed_value():
    @task
    def again(x):
        return x * 10

    with DAG("d", schedule=None) as dag:
        again.override(trigger_rule="none_failed").expand(x=keep_even.expand(x=numbers(4)))

    run = dag.test()

    assert run.get_task_instance("numbers").xcom_pull("again") == [20, 40]


def test_a_result_that_cannot_be_mapped_fails_the_task_that_gave_it():
    @task
    def text():
        return "abc"

    with DAG("d", schedule=None) as dag:
        keep_even.expand(x=text())

    assert states(dag.test()) == {"text": "failed", "keep_even": "upstream_failed"}


def test_a_mapped_group_runs_each_index_on_its_own():
    @task
    def first(x):
        if x == 1:
            raise AirflowSkipException("as it should")
        return x

    @task
    def second(y):
        return y + 100

    @task_group
    def pair(x):
        return second(first(x))

    with DAG("d", schedule=None) as dag:
        values = pair.expand(x=numbers(3))
        collect.override(trigger_rule="none_failed")(values)

    run = dag.test()

    assert states(run) == {
        "numbers": "success",
        "pair.first[0]": "skipped",
        "pair.first[1]": "success",
        "pair.first[2]": "success",
        "pair.second[0]": "skipped",
        "pair.second[1]": "success",
        "pair.second[2]": "success",
        "collect": "success",
    }
    assert run.get_task_instance("collect").xcom_pull("collect") == [102, 103]


def test_a_branch_in_a_mapped_group_chooses_for_its_own_index():
    @task.branch
    def choose(x):
        return "each.odd" if x % 2 else "each.even"

    @task
    def odd():
        return "odd"

    @task
    def even():
        return "even"

    @task_group
    def each(x):
        choose(x) >> [odd(), even()]

    with DAG("d", schedule=None) as dag:
        each.expand(x=[1, 2])

    found = states(dag.test())

    assert (found["each.odd[0]"], found["each.even[0]"]) == ("success", "skipped")
    assert (found["each.odd[1]"], found["each.even[1]"]) == ("skipped", "success")


def test_branches_and_a_join():
    """Checkable example 5.4."""

    @task.branch
    def two():
        return ["x", "y"]

    @task.branch
    def nothing():
        return None

    def plain(name, **fields):
        @task(task_id=name, **fields)
        def one():
            return name

        return one()

    with DAG("d", schedule=None) as dag:
        chosen = two()
        x = nothing.override(task_id="x")()
        y, z, z2 = plain("y"), plain("z"), plain("z2")
        x1 = plain("x1")
        end = plain("end", trigger_rule="none_failed_min_one_success")
        chosen >> [x, y, z]
        x >> x1
        z >> z2
        [x1, y, z2] >> end

    assert states(dag.test()) == {
        "two": "success",
        "x": "success",
        "y": "success",
        "z": "skipped",
        "x1": "skipped",
        "z2": "skipped",
        "end": "success",
    }


@pytest.mark.parametrize(("is_ignoring", "expected"), [(True, "skipped"), (False, "success")])
def test_a_short_circuit_skips_everything_or_its_direct_downstream(is_ignoring, expected):
    @task.short_circuit(ignore_downstream_trigger_rules=is_ignoring)
    def gate():
        return False

    with DAG("d", schedule=None) as dag:
        d1 = collect.override(task_id="d1")([1])
        d2 = collect.override(task_id="d2", trigger_rule="all_done")([2])
        gate() >> d1 >> d2

    found = states(dag.test())

    assert (found["d1"], found["d2"]) == ("skipped", expected)


def test_a_teardown_runs_after_failed_work_and_is_forgiven():
    """Checkable example 10.1."""

    @task
    def step(name):
        if name in ("work", "down"):
            raise ValueError("as it should")

    with DAG("d", schedule=None) as dag:
        up = step.override(task_id="up")("up")
        fine = step.override(task_id="fine")("fine")
        down = step.override(task_id="down")("down")
        with down.as_teardown(setups=up):
            up >> fine

    run = dag.test()

    assert states(run) == {"up": "success", "fine": "success", "down": "failed"}
    assert run.state == "success"
