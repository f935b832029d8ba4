"""Rendering of template fields (semantics sections 2.7 and 9.3)."""

from __future__ import annotations

import subprocess
import sys
from collections import namedtuple

import jinja2
import pytest
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.resolvable import ResolveMixin, literal

Pair = namedtuple("Pair", "first second")


class Fields(BaseOperator):
    """Has one templated field, and keeps what it rendered to."""

    template_fields = ("value",)
    template_ext = (".sql",)

    def __init__(self, *, value, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def execute(self, context):
        Fields.rendered = self.value


class Nested:
    """An object with template fields of its own."""

    template_fields = ("inner",)

    def __init__(self, inner):
        self.inner = inner


class Late(ResolveMixin):
    """A value known at run time only."""

    def resolve(self, context):
        return "{{ " + context["ds"] + " }}"


def render(world, value):
    Fields.rendered = None
    Fields(task_id="a", value=value, dag=world.dag)
    result = world.run("a")
    assert result.outcome == "success", result.reason
    return Fields.rendered


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        ("{{ ds }}", "2024-03-05"),
        ("plain", "plain"),
        ("one line break goes\n", "one line break goes"),
        ("only one\n\n", "only one\n"),
        ("{# nothing #}x", "x"),
        ("{ ds }", "{ ds }"),
        (["{{ ds }}", 1], ["2024-03-05", 1]),
        (("{{ ds }}",), ("2024-03-05",)),
        ({"{{ ds }}"}, {"2024-03-05"}),
        (Pair("{{ ds }}", 2), Pair("2024-03-05", 2)),
        ({"{{ ds }}": ["{{ ds }}"]}, {"{{ ds }}": ["2024-03-05"]}),
        (literal("{{ ds }}"), "{{ ds }}"),
        (Late(), "{{ 2024-03-05 }}"),
        (["{{ ds }}", literal("{{ ds }}")], ["2024-03-05", "{{ ds }}"]),
        (5, 5),
        (b"{{ ds }}", b"{{ ds }}"),
    ],
)
def test_values_are_rendered_by_their_kind(world, value, rendered):
    result = render(world, value)

    assert result == rendered
    assert type(result) is type(rendered)


def test_a_function_as_a_field_is_called_for_its_value(world):
    def value(context, jinja_env):
        return context["ds"] + jinja_env.from_string("{{ 1 + 1 }}").render()

    assert render(world, value) == "2024-03-052"


def test_objects_with_template_fields_are_rendered_also_in_a_circle(world):
    outer = Nested(None)
    outer.inner = ["{{ ds }}", outer]

    rendered = render(world, outer)

    assert rendered.inner[0] == "2024-03-05"
    assert rendered.inner[1] is outer


def test_a_file_is_loaded_by_its_ending_also_inside_a_list(make_world, tmp_path):
    (tmp_path / "q.sql").write_text("select {{ ds }}{% include 'part.sql' %}")
    (tmp_path / "part.sql").write_text(" from {{ ds_nodash }}")
    world = make_world(template_searchpath=[tmp_path])

    assert render(world, ["q.sql", "x"]) == ["select 2024-03-05 from 20240305", "x"]


def test_a_file_that_is_missing_fails_the_task(world):
    Fields(task_id="a", value="nope.sql", dag=world.dag)

    assert "nope.sql" in world.run("a").reason


def test_the_dag_itself_is_not_changed_by_rendering(world):
    render(world, ["{{ ds }}"])

    assert world.dag.get_task("a").value == ["{{ ds }}"]


@pytest.mark.parametrize(
    ("template", "value"),
    [("{{ [1, 2] }}", [1, 2]), ("{{ params }}", {}), ("12", 12), ("a{{ 1 }}", "a1"),
     ("{{ 1 }}2", 12)],
)  # fmt: skip
def test_native_rendering_gives_python_values(make_world, template, value):
    assert render(make_world(render_template_as_native_obj=True), template) == value


def test_one_task_alone_can_be_rendered_natively(world):
    Fields(task_id="a", value="{{ [1] }}", render_template_as_native_obj=True, dag=world.dag)

    world.run("a")

    assert Fields.rendered == [1]


def test_macros_filters_undefined_and_options_are_the_dags_to_choose(make_world):
    world = make_world(
        user_defined_macros={"twice": lambda text: text * 2},
        user_defined_filters={"shout": str.upper},
        template_undefined=jinja2.Undefined,
        jinja_environment_kwargs={"variable_start_string": "<<", "variable_end_string": ">>"},
    )

    assert render(world, "<< twice('ab') | shout >><< nothing >>{{ ds }}") == "ABAB{{ ds }}"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ data_interval_end | ts_nodash_with_tz }}", "20240305T103015+0000"),
        ("{{ none | ds }}", "None"),
        ("{{ macros.ds_add(ds, -5) }}", "2024-02-29"),
        ("{{ macros.datetime(2024, 1, 1).year }}", "2024"),
        ("{{ macros.yaml.safe_load('a: 1') }}", "{'a': 1}"),
        ("{{ macros.random() < 1 }}", "True"),
        ("{{ macros.time.gmtime(0).tm_year }}", "1970"),
        ("{{ macros.uuid.UUID(int=0) }}", "00000000-0000-0000-0000-000000000000"),
        ("{% do [].append(1) %}{{ var.value.get('nope', 'dflt') }}", "dflt"),
        ("{{ conn.get('nope', none) }}", "None"),
        ("{% for x in [1] %}{{ x }}{{ ds_nodash }}{% endfor %}", "120240305"),
    ],
)
def test_what_templates_may_use(world, template, text):
    assert render(world, template) == text


@pytest.mark.parametrize(
    "template",
    ["{{ nope }}", "{{ var.value.nope }}", "{{ conn.nope.host }}", "{{ ''.__class__.__mro__ }}",
     "{{ ds"],
)  # fmt: skip
def test_templates_that_ask_for_what_is_not_there_or_forbidden_fail(world, template):
    Fields(task_id="a", value=template, dag=world.dag)

    assert world.run("a").outcome == "failed"


def test_a_template_reads_only_what_it_names(world):
    asked = []
    world.runtime.__class__ = type(
        "Runtime",
        (type(world.runtime),),
        {"__slots__": (), "get_previous_dag_run": lambda self, **names: asked.append(names)},
    )

    render(world, "{{ ds }}")
    assert asked == []


def test_a_text_is_compiled_once_for_all_tasks_of_a_dag(world):
    environment = world.dag.get_template_env()

    assert environment is world.dag.get_template_env()
    assert environment.from_string("{{ ds }}") is environment.from_string("{{ ds }}")


def test_tasks_without_templates_never_load_jinja():
    code = """
import logging, sys
from datetime import UTC, datetime
from tradewind.operators.python import PythonOperator
from tradewind.runtime.task.execute import execute_task
from tradewind.runtime.task.memory_runtime import MemoryRuntime
from tradewind.runtime.task.task_spec import TaskInstanceSpec
from tradewind.sdk.dag import DAG

dag = DAG("d", schedule=None)
task = PythonOperator(task_id="a", python_callable=lambda x: x, op_args=["plain"], dag=dag)
result = execute_task(
    dag=dag, task=task, spec=TaskInstanceSpec("d", "r", "a"),
    runtime=MemoryRuntime(dag_run={}, list_states=list), log=logging.getLogger("t"),
)
assert result.outcome == "success", result
print(sorted({"jinja2", "jsonschema", "sqlalchemy", "yaml"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == "[]\n", done.stderr
