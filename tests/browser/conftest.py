"""A real server with real runs, and Chromium that looks at it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

CHROMIUM = os.environ.get("TRADEWIND_CHROMIUM") or shutil.which("chromium") or ""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 30_000

# The same deployments as the acceptance tests have; a folder of tests is no package.
_spec = importlib.util.spec_from_file_location(
    "deployments", Path(__file__).parents[1] / "acceptance" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Deployment = _module.Deployment

ORDERS = """
from datetime import datetime
from airflow.sdk import DAG, Asset, Param, TaskGroup, task
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.hitl import HITLOperator

with DAG("orders", schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False,
         params={"region": Param("eu", enum=["eu", "us"]),
                 "limit": Param(10, type="integer", minimum=1)}) as dag:
    start = BashOperator(task_id="start", bash_command="echo hello from {{ params.region }}")
    with TaskGroup("load") as load:
        left = BashOperator(task_id="left", bash_command="echo '<script>alert(1)</script>'")
        right = BashOperator(task_id="right", bash_command="true")
    @task
    def numbers():
        return [1, 2, 3]
    @task
    def double(number):
        return number * 2
    end = BashOperator(task_id="end", bash_command="true")
    start >> load >> end
    double.expand(number=numbers()) >> end

with DAG("slow", schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False):
    BashOperator(
        task_id="talk",
        bash_command="echo first line; while [ ! -e $STOP ]; do sleep 0.1; done; echo last line",
        env={"STOP": "STOP_FILE"}, append_env=True,
    ) >> BashOperator(task_id="after", bash_command="true")

with DAG("daily", schedule="@daily", start_date=datetime(2024, 1, 1), catchup=True,
         end_date=datetime(2024, 1, 5)):
    BashOperator(task_id="one", bash_command="true")

with DAG("hostile", schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False,
         dag_display_name="<img src=x onerror=alert(1)>", tags=["<b>tag</b>"],
         description="<script>alert(1)</script>",
         doc_md="# Head\\n\\n<script>alert(1)</script> [link](javascript:alert(1)) **bold**",
         default_args={"owner": "<i>owner</i>"}):
    BashOperator(task_id="t" * 200, task_display_name="<svg onload=alert(1)>",
                 doc_md="<script>alert(1)</script>",
                 bash_command="printf '\\\\033[31mred\\\\033[0m\\\\000\\\\377\\\\n"
                              "::group::More\\\\nin it\\\\n::endgroup::\\\\n'",
                 outlets=[Asset("s3://<b>lake</b>")])

with DAG("consumer", schedule=[Asset("s3://<b>lake</b>")], start_date=datetime(2024, 1, 1),
         is_paused_upon_creation=False):
    BashOperator(task_id="eat", bash_command="true")

with DAG("asking", schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False):
    HITLOperator(task_id="ask", subject="Ship {{ run_id }}?", body="All **green**",
                 options=["yes", "no"], params={"percent": Param(10, type="integer", maximum=100)})

with DAG("broken", schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False):
    BashOperator(task_id="fails", bash_command="test -e MENDED") >> BashOperator(
        task_id="follows", bash_command="true")
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Deployment]:
    """One server for all tests, with its admin's password as ``server.password``."""
    pytest.importorskip("playwright", reason="Playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no Chromium: install Debian's package, or set TRADEWIND_CHROMIUM")
    made = Deployment(tmp_path_factory.mktemp("browser") / "home")
    made.stop_file = made.home / "stop"
    made.mended_file = made.home / "mended"
    text = ORDERS.replace("STOP_FILE", str(made.stop_file))
    made.write_dag("dags.py", text.replace("MENDED", str(made.mended_file)))
    made.start()
    try:
        made.wait_until(lambda: "password" in made.output_path.read_text(), "a password")
        found = re.search(r"password (\S+)", made.output_path.read_text())
        assert found
        made.password = found.group(1)
        made.url = f"http://127.0.0.1:{made.port}"
        for name in ("orders", "broken", "hostile"):
            made.wait_until(
                lambda name=name: made.cli("dags", "trigger", name, code=None).returncode == 0,
                f"{name} is parsed",
            )
        made.wait_for_run("orders")
        made.wait_for_run("broken", "failed")
        made.wait_for_run("hostile")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def chromium(server) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


class Tab:
    """A page that is logged in. It notes whatever must not happen: ``faults``."""

    def __init__(self, context, url: str) -> None:
        self.url = url
        self.page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on(
            "console",
            lambda note: self.faults.append(note.text) if note.type == "error" else None,
        )
        self.page.on("request", self._note_request)
        self.page.on("dialog", self._note_dialog)

    def _note_dialog(self, dialog) -> None:
        if dialog.type == "alert":
            self.faults.append(f"a script ran: {dialog.message}")
        dialog.accept()

    def _note_request(self, request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.faults.append(f"foreign address: {request.url}")

    def open(self, path: str):
        self.page.goto(self.url + path)
        self.page.wait_for_selector("body[data-ready]")
        return self.page


def log_in(page, url: str, password: str) -> None:
    page.goto(f"{url}/login")
    page.fill("#username", "admin")
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.wait_for_selector("main#main")


@pytest.fixture(scope="module")
def cookies(chromium, server) -> object:
    """What a browser keeps after a login: one is enough for all tests."""
    made = chromium.new_context()
    log_in(made.new_page(), server.url, server.password)
    kept = made.storage_state()
    made.close()
    return kept


@pytest.fixture
def context(chromium, cookies) -> Iterator[object]:
    made = chromium.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", storage_state=cookies
    )
    yield made
    made.close()


@pytest.fixture
def tab(context, server) -> Iterator[Tab]:
    made = Tab(context, server.url)
    yield made
    assert made.faults == []


@pytest.fixture(scope="session")
def orders_run(server) -> str:
    """The path of the finished run of "orders"."""
    rows = server.rows("dags", "list-runs", "orders")
    done = [row["run_id"] for row in rows if row["state"] == "success"]
    return f"/dags/orders/runs/{quote(done[-1], safe='')}"
