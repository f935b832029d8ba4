"""Values inside and outside of mapped task groups (semantics sections 3.5 and 3.6)."""

from __future__ import annotations

from tradewind.sdk.exceptions import AirflowSkipException
from tradewind.sdk.task_decorators import task
from tradewind.sdk.task_group_decorator import task_group


def test_tasks_of_one_group_instance_see_each_other_and_others_see_all(world):
    with world.dag:

        @task
        def source():
            return [1, 2, 3]

        @task
        def double(x):
            return x * 2

        @task
        def add(x, y):
            return x + y

        @task
        def total(values):
            return list(values)

        @task_group
        def group(x, plus):
            doubled = double(x)
            return add(doubled, plus)

        total(group.partial(plus=100).expand(x=source()))

    world.run("source")
    for index in range(3):
        world.run("group.double", index, mapped_lengths=[3])
        world.run("group.add", index, mapped_lengths=[3])
    world.run("total")

    assert [world.xcoms("group.add", index)["return_value"] for index in range(3)] == [
        102, 104, 106,
    ]  # fmt: skip
    assert world.xcoms("total")["return_value"] == [102, 104, 106]


def test_one_value_of_a_mapped_group_is_still_a_list(world):
    with world.dag:

        @task
        def same(x):
            return x

        @task
        def total(values):
            return list(values)

        @task_group
        def group(x):
            return same(x)

        total(group.expand(x=[7]))

    world.run("group.same", 0)
    world.run("total")

    assert world.xcoms("total")["return_value"] == [7]


def test_mapped_values_pass_through_functions_zip_and_concat(world):
    with world.dag:

        @task
        def source():
            return [1, 2, 3]

        @task
        def pair(x):
            return list(x)

        values = source()
        pair.override(task_id="zipped").expand(x=values.zip(values.map(lambda v: v + 100)))

        @task
        def same(x):
            return x

        same.override(task_id="joined").expand(x=values.concat(values))

    world.run("source")
    for index in range(3):
        world.run("zipped", index)
    for index in range(6):
        world.run("joined", index)

    assert [world.xcoms("zipped", i)["return_value"] for i in range(3)] == [
        [1, 101], [2, 102], [3, 103],
    ]  # fmt: skip
    assert [world.xcoms("joined", i)["return_value"] for i in range(6)] == [1, 2, 3, 1, 2, 3]


def test_a_function_of_map_can_skip_its_own_instance_only(world):
    def only_even(value):
        if value % 2:
            raise AirflowSkipException(f"{value} is odd")
        return value

    with world.dag:

        @task
        def source():
            return [1, 2]

        @task
        def same(x):
            return x

        same.expand(x=source().map(only_even))

    world.run("source")

    assert [world.run("same", index).outcome for index in range(2)] == ["skipped", "success"]


def test_expanding_over_a_dict_gives_pairs(world):
    with world.dag:

        @task
        def source():
            return {"a": 1, "b": 2}

        @task
        def same(x):
            return list(x)

        same.expand(x=source())

    world.run("source")
    world.run("same", 1)

    assert world.xcoms("same", 1)["return_value"] == ["b", 2]


def test_dicts_of_arguments_are_strict_only_where_asked(world):
    with world.dag:

        @task
        def add(a, b=5):
            return a + b

        add.override(task_id="plain").expand_kwargs([{"a": 1}, {"a": 2, "b": 3}])
        add.override(task_id="strict").partial(a=1).expand_kwargs([{"a": 2}])
        add.override(task_id="loose").partial(a=1).expand_kwargs([{"a": 2}], strict=False)

    for index in range(2):
        world.run("plain", index)
    strict = world.run("strict", 0)
    world.run("loose", 0)

    assert [world.xcoms("plain", i)["return_value"] for i in range(2)] == [6, 5]
    assert strict.reason.startswith("InvalidArgumentError")
    assert world.xcoms("loose", 0)["return_value"] == 7
