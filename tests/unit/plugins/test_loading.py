"""Plugins: found, loaded once, and broken ones left out with one line each."""

import sys
from datetime import UTC, datetime

import pytest
from tradewind.sdk import macros, plugins
from tradewind.sdk.operator_link import links_of

GOOD = """
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperatorLink
from airflow.listeners import hookimpl
from airflow.operators.empty import EmptyOperator

def double(x):
    return 2 * x

class Everywhere(BaseOperatorLink):
    name = "Everywhere"
    def get_link(self, operator, *, ti_key):
        return "http://everywhere/" + ti_key.run_id

class OnEmpty(BaseOperatorLink):
    name = "On empty"
    operators = [EmptyOperator]
    def get_link(self, operator, *, ti_key):
        return "http://empty"

class Heard:
    said = []
    @hookimpl
    def on_task_instance_success(self, task_instance):
        self.said.append(task_instance.task_id)
    @hookimpl
    def on_task_instance_running(self, previous_state, task_instance):
        raise RuntimeError("a broken listener")
    def on_task_instance_failed(self, task_instance):
        self.said.append("never: it has no mark")

heard = Heard()

class Tools(AirflowPlugin):
    name = "tools"
    macros = [double]
    listeners = [heard]
    global_operator_extra_links = [Everywhere()]
    operator_extra_links = [OnEmpty()]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    made = tmp_path / "plugins"
    made.mkdir()
    monkeypatch.setenv("TRADEWIND__CORE__PLUGINS_FOLDER", str(made))
    monkeypatch.setattr(sys, "path", list(sys.path))
    plugins.forget_plugins()
    yield made
    plugins.forget_plugins()
    for name, module in list(sys.modules.items()):
        is_ours = str(getattr(module, "__file__", "") or "").startswith(str(tmp_path))
        if is_ours or name.startswith("airflow.macros."):
            del sys.modules[name]
    if hasattr(macros, "tools"):
        del macros.tools


def test_a_plugin_brings_macros_listeners_and_links(folder):
    (folder / "tools_plugin.py").write_text(GOOD)

    loaded = plugins.load_plugins()

    assert [(one.name, one.source) for one in loaded.plugins] == [("tools", "tools_plugin.py")]
    assert loaded.errors == {}
    assert macros.tools.double(4) == 8
    assert loaded.listeners.hooks() == ["on_task_instance_running", "on_task_instance_success"]
    from airflow.macros.tools import double

    assert double(1) == 2


def test_its_module_is_the_one_that_dag_files_import(folder):
    (folder / "acme").mkdir()
    (folder / "acme" / "__init__.py").write_text("")
    (folder / "acme" / "tools.py").write_text(GOOD)

    loaded = plugins.load_plugins()
    from acme.tools import Tools

    assert [one.plugin for one in loaded.plugins] == [Tools]


def test_links_of_plugins_stand_beside_those_of_the_class(folder):
    (folder / "tools_plugin.py").write_text(GOOD)
    plugins.load_plugins()
    from airflow.operators.bash import BashOperator
    from airflow.operators.empty import EmptyOperator

    assert sorted(links_of(BashOperator)) == ["Everywhere"]
    assert sorted(links_of(EmptyOperator)) == ["Everywhere", "On empty"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_a"),
        ("def (", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        (
            "from airflow.plugins_manager import AirflowPlugin\nclass P(AirflowPlugin): pass",
            "needs a name",
        ),
        (
            "from airflow.plugins_manager import AirflowPlugin\n"
            "class P(AirflowPlugin):\n    name = 'p'\n    macros = 5",
            "macros of the plugin 'p' is a list, not 5",
        ),
    ],
)
def test_a_broken_plugin_is_one_line_and_the_others_are_there(folder, text, error):
    (folder / "a_broken.py").write_text(text)
    (folder / "tools_plugin.py").write_text(GOOD)

    loaded = plugins.load_plugins()

    assert [one.name for one in loaded.plugins] == ["tools"]
    assert error in loaded.errors["a_broken.py"]
    assert "\n" not in loaded.errors["a_broken.py"]


def test_a_plugin_called_as_a_library_hides_nothing(folder):
    (folder / "json.py").write_text(GOOD)

    loaded = plugins.load_plugins()
    import json

    assert json.loads("1") == 1
    assert [one.name for one in loaded.plugins] == ["tools"]


def test_an_installed_package_brings_plugins_by_entry_point(folder, tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "acme_tools-1.0.dist-info").mkdir(parents=True)
    (site / "acme_tools-1.0.dist-info" / "METADATA").write_text("Name: acme-tools\nVersion: 1.0\n")
    (site / "acme_tools-1.0.dist-info" / "entry_points.txt").write_text(
        "[airflow.plugins]\nacme = acme_tools_plugin:Tools\nlost = acme_tools_plugin:Gone\n"
    )
    (site / "acme_tools_plugin.py").write_text(GOOD)
    sys.path.append(str(site))
    plugins.plugin_entry_points.cache_clear()

    loaded = plugins.load_plugins()

    plugins.plugin_entry_points.cache_clear()
    assert [one.source for one in loaded.plugins] == ["acme_tools_plugin:Tools (entry point acme)"]
    assert list(loaded.errors) == ["acme_tools_plugin:Gone (entry point lost)"]


def test_listeners_hear_of_tasks_and_one_that_raises_stops_nothing(folder):
    (folder / "tools_plugin.py").write_text(GOOD)
    from airflow.operators.python import PythonOperator

    from airflow import DAG

    with DAG("d", schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC)) as dag:
        PythonOperator(task_id="one", python_callable=lambda: 1) >> PythonOperator(
            task_id="two", python_callable=lambda: 1 / 0
        )

    run = dag.test()

    assert run.state == "failed"
    from tools_plugin import heard

    assert heard.said == ["one"]


def test_templates_see_macros_of_plugins(folder):
    (folder / "tools_plugin.py").write_text(GOOD)
    from airflow.operators.bash import BashOperator

    from airflow import DAG

    with DAG("d", schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC)) as dag:
        BashOperator(task_id="say", bash_command="echo {{ macros.tools.double(21) }}")

    run = dag.test()

    assert run.get_task_instance("say").xcom_pull("say") == "42"
