"""What teams add to Airflow, in a real deployment: mail, plugins, listeners, an XCom backend."""

from __future__ import annotations

import importlib.util
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location(
    "mail_server", Path(__file__).parents[1] / "mail_server.py"
)
assert _spec is not None
assert _spec.loader is not None
mail_server = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("mail_server", mail_server)
_spec.loader.exec_module(mail_server)

PLUGIN = """
from pathlib import Path
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

HEARD = Path({heard!r})

def note(*words):
    with HEARD.open("a") as file:
        file.write(" ".join(map(str, words)) + "\\n")

class Listener:
    @hookimpl
    def on_task_instance_running(self, previous_state, task_instance):
        note("running", task_instance.task_id, previous_state)
    @hookimpl
    def on_task_instance_success(self, task_instance):
        note("success", task_instance.task_id)
    @hookimpl
    def on_task_instance_failed(self, task_instance, error):
        note("failed", task_instance.task_id, type(error).__name__)
    @hookimpl
    def on_dag_run_running(self, dag_run, msg):
        note("run", dag_run.run_id, dag_run.state)
    @hookimpl
    def on_dag_run_failed(self, dag_run, msg):
        note("run", dag_run.run_id, dag_run.state, msg)
    @hookimpl
    def on_asset_changed(self, asset):
        note("asset", asset.uri)
    @hookimpl
    def on_new_dag_import_error(self, filename, stacktrace):
        note("broken", Path(filename).name, stacktrace.splitlines()[-1])
    @hookimpl
    def on_existing_dag_import_error(self, filename, stacktrace):  # a command was faster
        self.on_new_dag_import_error(filename, stacktrace)

def shout(text):
    return text.upper()

class Team(AirflowPlugin):
    name = "team"
    macros = [shout]
    listeners = [Listener()]
"""

BACKEND = """
import json, uuid
from pathlib import Path
from airflow.models.xcom import BaseXCom

STORE = Path({store!r})

class FileXCom(BaseXCom):
    @staticmethod
    def serialize_value(value, *, key=None, task_id=None, dag_id=None, run_id=None, map_index=None):
        STORE.mkdir(exist_ok=True)
        name = f"{{dag_id}}.{{task_id}}.{{key}}.json"
        (STORE / name).write_text(json.dumps(value))
        return BaseXCom.serialize_value("file:" + name)

    @staticmethod
    def deserialize_value(result):
        name = BaseXCom.deserialize_value(result)
        return json.loads((STORE / name.removeprefix("file:")).read_text())
"""

DAG = """
from datetime import timedelta
import pendulum
from airflow import DAG, Dataset
from airflow.operators.bash import BashOperator
from airflow.operators.python import PythonOperator

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference, SyncCallback

def fail():
    raise ValueError("the <cause>")

def late(who, context):
    with open({folder!r} + "/late.txt", "a") as file:
        file.write(f"{{who}} {{context['dag_run']['run_id']}}\\n")

async def late_async(**kwargs):
    late(**kwargs)

def alert(callback, interval):
    reference = DeadlineReference.DAGRUN_QUEUED_AT
    return DeadlineAlert(reference, interval=interval, callback=callback)

with DAG(
    "team",
    schedule=None,
    start_date=pendulum.datetime(2024, 1, 1),
    is_paused_upon_creation=False,
    default_args={{"email": "ada@example.com, bob@example.com"}},
    deadline=[
        alert(SyncCallback(late, {{"who": "sync {{{{ dag_run.dag_id }}}}"}}), timedelta(0)),
        alert(AsyncCallback(late_async, {{"who": "async"}}), timedelta(0)),
        alert(SyncCallback(late, {{"who": "never"}}), timedelta(hours=1)),
    ],
):
    said = BashOperator(
        task_id="say",
        bash_command="echo {{{{ macros.team.shout('hello') }}}}",
        outlets=[Dataset("s3://team/said")],
    )
    heard = PythonOperator(
        task_id="hear", python_callable=lambda ti: {{"heard": ti.xcom_pull("say")}}
    )
    broken = PythonOperator(
        task_id="fail", python_callable=fail, retries=1, retry_delay=timedelta(seconds=0)
    )
    said >> heard >> broken
"""


ASK = """
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG
from airflow.operators.empty import EmptyOperator

with DAG("ask", schedule=None, is_paused_upon_creation=False):
    ApprovalOperator(task_id="approve", subject="Deploy {{ run_id }}?") >> EmptyOperator(
        task_id="deploy"
    )
"""


@pytest.fixture
def mails() -> Iterator[Any]:
    made = mail_server.MailServer()
    yield made
    made.close()


def test_mail_plugins_listeners_and_an_xcom_backend_at_work(deployment, mails) -> None:
    heard_path, store = deployment.home / "heard.txt", deployment.home / "xcoms"
    plugins = deployment.home / "plugins"
    plugins.mkdir()
    (plugins / "team_plugin.py").write_text(PLUGIN.format(heard=str(heard_path)))
    (plugins / "broken_plugin.py").write_text("import no_such_module\n")
    (plugins / "team_xcom.py").write_text(BACKEND.format(store=str(store)))
    deployment.environment |= mails.settings()
    deployment.environment["AIRFLOW__CORE__XCOM_BACKEND"] = "team_xcom.FileXCom"
    deployment.write_dag("team.py", DAG.format(folder=str(deployment.home)))
    deployment.write_dag("airflow_broken.py", "from airflow import DAG\n1 / 0\n")
    deployment.start()
    deployment.wait_until(lambda: deployment.rows("dags", "list", "--columns", "dag_id"), "the DAG")

    def import_errors() -> list[dict[str, Any]]:
        done = deployment.cli("dags", "list-import-errors", "-o", "json", code=None)
        return json.loads(done.stdout or "[]")

    errors = deployment.wait_until(
        lambda: len(found := import_errors()) == 2 and found,
        "the import errors of a DAG file and of a plugin",
    )
    deployment.cli("dags", "trigger", "team", "--run-id", "one")
    deployment.wait_for_run("team", "failed")
    deployment.wait_until(lambda: len(mails.mails) == 2, "mails about retry and failure")

    def heard() -> list[str]:
        return heard_path.read_text().splitlines() if heard_path.exists() else []

    deployment.wait_until(lambda: "run one failed task_failure" in heard(), "the end of the run")

    deployment.wait_until(lambda: any("broken" in line for line in heard()), "an import error")
    late = deployment.home / "late.txt"
    deployment.wait_until(
        lambda: late.exists() and len(late.read_text().splitlines()) == 2, "deadline alerts"
    )

    assert sorted(late.read_text().splitlines()) == ["async one", "sync team one"]
    (plugin_error,) = [one for one in errors if one["filepath"].endswith("broken_plugin.py")]
    assert "ModuleNotFoundError: No module named 'no_such_module'" in plugin_error["error"]
    listed = deployment.cli("plugins", code=1)
    assert "team" in listed.stdout
    assert listed.stderr.startswith("broken_plugin.py: ModuleNotFoundError")
    assert {
        "run one running",
        "running say queued",
        "success say",
        "asset s3://team/said",
        "failed fail ValueError",
        "broken airflow_broken.py ZeroDivisionError: division by zero",
    } <= set(heard())
    assert heard().count("failed fail ValueError") == 2  # the try that was repeated, too
    assert (store / "team.say.return_value.json").read_text() == '"HELLO"'
    assert (store / "team.hear.return_value.json").read_text() == '{"heard": "HELLO"}'
    bodies = sorted(next(mail.iter_parts()).get_content() for _, mail in mails.mails)
    recipients, first = mails.mails[0]
    assert recipients == ["ada@example.com", "bob@example.com"]
    assert str(first["Subject"]).startswith("Airflow alert: <TaskInstance: team.fail one")
    assert ["Try 1 out of 2" in bodies[0], "Try 2 out of 2" in bodies[1]] == [True, True]
    assert "ValueError: the &lt;cause&gt;" in bodies[0]
    assert f"http://localhost:{deployment.port}/dags/team/runs/one/tasks/fail" in bodies[0]


def test_a_person_answers_a_task_that_waits(deployment) -> None:
    with zipfile.ZipFile(deployment.dags_folder / "pack.zip", "w") as archive:
        archive.writestr("ask.py", ASK)
    deployment.start()
    deployment.wait_until(lambda: deployment.rows("dags", "list", "--columns", "dag_id"), "the DAG")
    deployment.cli("dags", "trigger", "ask", "--run-id", "one")
    which = ("tasks", "respond", "ask", "approve", "one")

    asked = deployment.wait_until(
        lambda: "Deploy" in (done := deployment.cli(*which, code=None)).stdout and done.stdout,
        "the question",
    )
    wrong = deployment.cli(*which, "--option", "Maybe", code=1)
    deployment.cli(*which, "--option", "Reject")
    again = deployment.cli(*which, "--option", "Approve", code=1)
    deployment.wait_for_run("ask")

    assert asked.splitlines() == ["Deploy one?", "options: Approve, Reject"]
    assert wrong.stderr.strip() == "The task 'approve' can be answered with: Approve, Reject."
    assert again.stderr.strip()
    assert deployment.task_states("ask", "one") == {"approve": "success", "deploy": "skipped"}
