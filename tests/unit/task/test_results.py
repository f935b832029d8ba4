"""What a task leaves behind: XComs, rendered fields, labels (semantics 3.4, 3.5, 3.8, 8.1)."""

from __future__ import annotations

import pytest
from tradewind.operators.bash import BashOperator
from tradewind.operators.python import PythonOperator
from tradewind.sdk.asset import Asset, Metadata
from tradewind.sdk.secrets_masker import mask_secret, masker
from tradewind.sdk.task_decorators import task


@pytest.fixture(autouse=True)
def no_secrets():
    yield
    masker.forget_all()


def test_a_result_is_stored_and_none_is_not(world):
    PythonOperator(task_id="a", python_callable=lambda: {"k": 1}, dag=world.dag)
    PythonOperator(task_id="b", python_callable=lambda: None, dag=world.dag)

    world.run("a")
    world.run("b")

    assert world.xcoms("a") == {"return_value": {"k": 1}}
    assert world.xcoms("b") == {}


def test_without_do_xcom_push_only_explicit_pushes_are_stored(world):
    def act(ti):
        ti.xcom_push("k", 1)
        return 5

    PythonOperator(task_id="a", python_callable=act, do_xcom_push=False, dag=world.dag)

    world.run("a")

    assert world.xcoms("a") == {"k": 1}


def test_multiple_outputs_become_xcoms_of_their_own(world):
    with world.dag:

        @task
        def typed() -> dict[str, int]:
            return {"x": 1, "y": 2}

        typed()

    world.run("typed")

    assert world.xcoms("typed") == {"return_value": {"x": 1, "y": 2}, "x": 1, "y": 2}


@pytest.mark.parametrize("value", [{1: 2}, [1]])
def test_multiple_outputs_need_a_dict_with_text_keys(world, value):
    PythonOperator(task_id="a", python_callable=lambda: value, multiple_outputs=True, dag=world.dag)

    assert world.run("a").outcome == "failed"


def test_a_value_that_cannot_be_stored_fails_and_names_task_key_type_and_fix(world):
    PythonOperator(task_id="a", python_callable=lambda: {"raw": [b"x"]}, dag=world.dag)

    result = world.run("a")

    assert result.outcome == "failed"
    for part in ("'a'", "'return_value'", "type bytes", "value['raw'][0]", "Decode it to text"):
        assert part in result.reason


def test_the_xcoms_of_an_earlier_try_are_gone_when_the_next_one_starts(world):
    seen = []

    def act(ti):
        seen.append(ti.xcom_pull(key="k"))
        ti.xcom_push("k", ti.try_number)
        raise ValueError

    PythonOperator(task_id="a", python_callable=act, retries=1, dag=world.dag)

    world.run("a", try_number=1, tries_max=1)
    world.run("a", try_number=2, tries_max=1)

    assert seen == [None, None]


def test_the_first_hand_out_of_a_task_asks_for_no_removal(world):
    PythonOperator(task_id="a", python_callable=lambda: None, dag=world.dag)

    world.run("a")
    world.run("a", epoch=2)

    assert world.runtime.told == ["executing", "delete_xcoms", "executing"]


def test_xcoms_are_kept_when_a_deferred_task_goes_on(world):
    PythonOperator(task_id="a", python_callable=lambda ti: ti.xcom_pull(key="k"), dag=world.dag)
    world.runtime.set_xcom(
        dag_id="d",
        run_id=world.dag_run["run_id"],
        task_id="a",
        map_index=-1,
        key="k",
        value="7",
        length=None,
    )

    world.run("a", epoch=2, next_method="execute", next_kwargs="{}")

    assert world.xcoms("a")["return_value"] == 7


# --- mapping -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "outcome"),
    [([1, 2], "success"), ({"a": 1}, "success"), ((1,), "success"), (None, "failed"),
     ("text", "failed"), (5, "failed"), ({1, 2}, "failed"), (list(range(1025)), "failed")],
    ids=["list", "dict", "tuple", "None", "text", "number", "set", "too long"],
)  # fmt: skip
def test_a_task_that_others_are_mapped_over_must_return_elements(world, value, outcome):
    with world.dag:

        @task
        def source():
            return value

        @task
        def sink(x):
            return x

        sink.expand(x=source())

    assert world.run("source").outcome == outcome


def test_each_instance_gets_its_element_and_the_last_keyword_runs_fastest(world):
    with world.dag:

        @task
        def pair(a, b):
            return [a, b]

        pair.expand(a=[1, 2], b=["x", "y"])

    for index in range(4):
        world.run("pair", index, mapped_lengths=[2, 2])

    assert [world.xcoms("pair", i)["return_value"] for i in range(4)] == [
        [1, "x"], [1, "y"], [2, "x"], [2, "y"],
    ]  # fmt: skip


def test_mapped_results_come_as_one_sequence_of_what_was_pushed(world):
    with world.dag:

        @task
        def source():
            return [1, 2, 3]

        @task
        def double(x):
            return None if x == 2 else x * 2

        @task
        def total(values):
            return [len(values), list(values), values[0], sum(values)]

        total(double.expand(x=source()))

    world.run("source")
    for index in range(3):
        world.run("double", index)
    world.run("total")

    assert world.xcoms("total")["return_value"] == [2, [2, 6], 2, 8]


def test_a_mapped_value_from_a_task_is_not_rendered_again(world):
    with world.dag:

        @task
        def source():
            return ["{{ ds }}"]

        @task
        def show(x, fixed):
            return [x, fixed]

        show.partial(fixed="{{ ds }}").expand(x=source())

    world.run("source")
    world.run("show", 0)

    assert world.xcoms("show", 0)["return_value"] == ["{{ ds }}", "2024-03-05"]


def test_classic_operators_are_mapped_over_dicts_of_arguments(world):
    with world.dag:
        BashOperator.partial(task_id="b", append_env=True).expand_kwargs(
            [{"bash_command": "echo $X", "env": {"X": "one"}}, {"bash_command": "echo {{ ds }}"}]
        )

    world.run("b", 0)
    world.run("b", 1)

    assert world.xcoms("b", 0) == {"return_value": "one"}
    assert world.xcoms("b", 1) == {"return_value": "2024-03-05"}


def test_the_label_of_a_map_index_may_use_what_the_task_added_to_its_context(world):
    with world.dag:

        @task(map_index_template="N-{{ name }}")
        def named(x, **context):
            from tradewind.sdk.context import get_current_context

            get_current_context()["name"] = x

        named.expand(x=["a", "b"])

        @task(map_index_template="{{ x }}!")
        def by_argument(x):
            raise ValueError

        by_argument.expand(x=["a"])

    assert world.run("named", 1).rendered_map_index == "N-b"
    assert world.run("by_argument", 0).rendered_map_index == "a!"


# --- what is shown -------------------------------------------------------------------------------


def test_rendered_fields_are_masked_before_they_are_cut(world):
    mask_secret("s3cret-s3cret")
    BashOperator(
        task_id="a",
        bash_command="true " + "x" * 4090 + " s3cret-s3cret",
        env={"TOKEN": "abc", "PLAIN": "p"},
        dag=world.dag,
    )

    fields = world.run("a").rendered_fields

    assert fields["env"] == {"TOKEN": "***", "PLAIN": "p"}
    assert fields["bash_command"].startswith("Truncated.")
    assert "s3cre" not in fields["bash_command"]


def test_secrets_are_masked_in_the_reason_and_the_traceback(world):
    def fail():
        raise ValueError("cannot log in with hunter2hunter2")

    mask_secret("hunter2hunter2")
    PythonOperator(task_id="a", python_callable=fail, dag=world.dag)

    result = world.run("a")

    assert result.reason == "ValueError: cannot log in with ***"
    assert "cannot log in with ***" in result.traceback


def test_a_template_that_cannot_be_rendered_fails_the_task(world):
    BashOperator(task_id="a", bash_command="{{ undefined_name }}", dag=world.dag)

    result = world.run("a")

    assert result.outcome == "failed"
    assert "undefined_name" in result.reason


def test_an_outlet_makes_an_event_with_what_the_task_says_of_it(world):
    asset = Asset("s3://bucket/key")

    def produce(*, outlet_events):
        outlet_events[asset].extra = {"rows": 3}

    def produce_by_yielding():
        yield Metadata(asset, {"rows": 4})
        return "done"

    PythonOperator(task_id="a", python_callable=produce, outlets=[asset], dag=world.dag)
    PythonOperator(task_id="b", python_callable=produce_by_yielding, outlets=[asset], dag=world.dag)

    assert [event["extra"] for event in world.run("a").asset_events] == [{"rows": 3}]
    assert [event["extra"] for event in world.run("b").asset_events] == [{"rows": 4}]
    assert world.xcoms("b") == {"return_value": "done"}


# --- params -------------------------------------------------------------------------------------


def test_the_runs_conf_overrides_the_tasks_params_which_override_the_dags(make_world):
    world = make_world(params={"p": 1, "q": "x", "r": "dag"})
    world.dag_run["conf"] = {"p": 7, "extra": 1}
    PythonOperator(
        task_id="a", python_callable=lambda params: params, params={"r": "task"}, dag=world.dag
    )

    world.run("a")

    assert world.xcoms("a")["return_value"] == {"p": 7, "q": "x", "r": "task", "extra": 1}


def test_a_conf_that_breaks_a_params_schema_fails_the_task(make_world):
    from tradewind.sdk.param import Param

    world = make_world(params={"n": Param(1, type="integer")})
    world.dag_run["conf"] = {"n": "many"}
    PythonOperator(task_id="a", python_callable=lambda: None, dag=world.dag)

    assert "ParamValidationError" in world.run("a").reason
