"""Make the pictures of the pages: ``python docs/make_screenshots.py`` from a checkout.

Starts a server in a new home with a DAG and runs of its own, looks at it with Chromium (at
``$TRADEWIND_CHROMIUM``, or on the path) and writes ``docs/pictures/page-*.png``.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}

SHOP = """
from datetime import datetime
from airflow.sdk import DAG, Asset, Param, TaskGroup
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.hitl import HITLOperator

NAMES = ["orders", "customers", "products", "payments", "returns"]
with DAG("shop", schedule="0 5 * * *", start_date=datetime(2024, 1, 1),
         end_date=datetime(2024, 1, 24),
         catchup=True, is_paused_upon_creation=False, max_active_runs=4, tags=["core"],
         description="Refreshes the customer model",
         default_args={"owner": "data-platform"},
         params={"region": Param("eu", enum=["eu", "us"], description="Where to load from"),
                 "limit": Param(100, type="integer", minimum=1)}):
    start = BashOperator(task_id="start", bash_command="echo starting {{ ds }}")
    gate = BashOperator(task_id="gate", bash_command="true")
    done = BashOperator(task_id="done", bash_command="true",
                        outlets=[Asset("s3://lake/customers")])
    with TaskGroup("extract") as extract:
        copied = {}
        for name in NAMES:
            wait = BashOperator(task_id=f"wait_{name}", bash_command="sleep 0.1")
            copied[name] = BashOperator(task_id=f"copy_{name}", bash_command="echo copied")
            wait >> copied[name]
    with TaskGroup("stage") as stage:
        for name in NAMES:
            bad = 1 if name == "payments" else 0
            stage_one = BashOperator(
                task_id=f"stage_{name}",
                bash_command="exit $(( {{ logical_date.day }} % 7 == 0 && " + str(bad) + " ))")
            copied[name] >> stage_one
    start >> extract
    stage >> gate >> done

with DAG("model", schedule=[Asset("s3://lake/customers")], start_date=datetime(2024, 1, 1),
         is_paused_upon_creation=False, tags=["ml"], description="Trains on what changed"):
    BashOperator(task_id="train", bash_command="sleep 0.3",
                 outlets=[Asset("s3://models/churn")])

with DAG("heartbeat", schedule="*/5 * * * *", start_date=datetime(2024, 1, 1), catchup=False,
         is_paused_upon_creation=False, default_args={"owner": "platform"}):
    BashOperator(task_id="ping", bash_command="sleep 1")

with DAG("crawl", schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False,
         description="Waits for its turn in a pool of one"):
    for site in ("north", "south", "west"):
        BashOperator(task_id=site, bash_command="sleep 600", pool="browser")

with DAG("release", schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False,
         tags=["core"], description="Ships what was built, when somebody agrees"):
    agree = HITLOperator(
        task_id="agree", subject="Ship {{ run_id }} to production?", options=["Ship it", "Not yet"],
        body="The canary ran for **2 h** at 5 %: error rate 0.02 %, p95 210 ms.",
        params={"percent": Param(10, type="integer", minimum=1, maximum=100,
                                 description="How many get it first")})
    BashOperator(task_id="build", bash_command="true") >> agree >> BashOperator(
        task_id="deploy", bash_command="true")

with DAG("archive", schedule="@weekly", start_date=datetime(2024, 1, 1), catchup=True):
    BashOperator(task_id="pack", bash_command="true")
"""
BROKEN = "from airflow.sdk import DAG\nimport a_module_that_is_not_installed\n"

#: Name of the picture, path, colour scheme, size. RUN is the newest run of the shop.
SHOTS = (
    ("home", "/", "light", WIDE),
    ("dags", "/dags", "light", WIDE),
    ("grid", "/dags/shop", "light", WIDE),
    ("graph", "RUN/graph", "dark", WIDE),
    ("graph-down", "/dags/shop/graph?direction=down&assets=1", "light", WIDE),
    ("gantt", "RUN/gantt", "light", WIDE),
    ("durations", "/dags/shop/durations", "dark", WIDE),
    ("calendar", "/dags/shop/calendar?year=2024", "light", WIDE),
    ("task", "/dags/shop/tasks/stage.stage_payments", "light", WIDE),
    ("run", "RUN", "light", WIDE),
    ("log", "RUN/tasks/extract.copy_orders", "dark", WIDE),
    ("code", "/dags/shop/code", "light", WIDE),
    ("trigger", "/dags/shop/trigger", "light", WIDE),
    (
        "backfill",
        "/dags/shop/backfill?from=2024-01-20&to=2024-01-24&reprocess=failed",
        "dark",
        WIDE,
    ),
    ("clear", "/dags/shop/clear?run_id=RUN_ID&task_id=gate&downstream=1", "light", WIDE),
    ("timeline", "/timeline?hours=1&ahead=1", "light", WIDE),
    ("forecast", "/forecast", "dark", WIDE),
    ("assets", "/assets", "light", WIDE),
    ("asset", "/assets/1", "light", WIDE),
    ("runs", "/runs", "dark", WIDE),
    ("instances", "/task_instances", "light", WIDE),
    ("admin", "/admin", "light", WIDE),
    ("pools", "/pools", "dark", WIDE),
    ("jobs", "/jobs", "light", WIDE),
    ("users", "/users", "light", WIDE),
    ("events", "/dags/shop/events?all=1", "light", WIDE),
    ("import-errors", "/import_errors", "light", WIDE),
    ("keys", "/keys", "dark", WIDE),
    ("questions", "/required_actions", "light", WIDE),
    ("question", "/dags/release/runs/v42/tasks/agree/answer", "dark", WIDE),
    ("phone", "/dags/shop", "dark", NARROW),
    ("phone-dags", "/dags", "light", NARROW),
    ("phone-gantt", "RUN/gantt", "light", NARROW),
    ("phone-log", "RUN/tasks/extract.copy_orders", "dark", NARROW),
)


def main() -> None:
    """Make all pictures."""
    spec = importlib.util.spec_from_file_location(
        "browser_tests", ROOT / "tests" / "browser" / "conftest.py"
    )
    if spec is None or spec.loader is None:
        raise SystemExit("tests/browser/conftest.py is not there")
    browser_tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(browser_tests)
    browser_tests._module.DEADLINE_S = 400.0  # a busy machine is no reason for no pictures
    with tempfile.TemporaryDirectory() as folder:
        server = browser_tests.Deployment(Path(folder) / "home")
        server.write_dag("shop.py", SHOP)
        server.write_dag("broken.py", BROKEN)
        server.start()
        try:
            server.wait_until(
                lambda: (
                    len(server.run_states("shop")) >= 23
                    and not {"queued", "running"} & set(server.run_states("shop"))
                ),
                "23 runs",
            )
            server.cli("pools", "set", "browser", "1", "One at a time", code=None)
            server.cli("dags", "trigger", "crawl", code=None)
            server.cli("dags", "trigger", "release", "--run-id", "v42", code=None)
            server.wait_until(lambda: "running" in server.run_states("crawl"), "crawl runs")
            ask = ("tasks", "respond", "release", "agree", "v42")
            server.wait_until(
                lambda: "Ship" in server.cli(*ask, code=None).stdout, "the question of the release"
            )
            take(server, browser_tests)
        finally:
            server.close()


def take(server: object, browser_tests: object) -> None:
    """Log in, and take each picture."""
    password = server.output_path.read_text().partition("password ")[2].split()[0]
    url = f"http://127.0.0.1:{server.port}"
    run_id = quote(server.rows("dags", "list-runs", "shop")[0]["run_id"], safe="")
    run = f"{url}/dags/shop/runs/{run_id}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_tests.CHROMIUM, args=list(browser_tests.FLAGS)
        )
        page = browser.new_page(reduced_motion="reduce")
        page.set_default_timeout(200_000)
        page.goto(f"{url}/login")
        page.fill("#username", "admin")
        page.fill("#password", password)
        page.click("button[type=submit]")
        for name, path, scheme, size in SHOTS:
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            path = path.replace("RUN_ID", run_id)
            page.goto(path.replace("RUN", run) if path.startswith("RUN") else url + path)
            page.wait_for_selector("body[data-ready]")
            page.wait_for_load_state("load")
            page.screenshot(path=PICTURES / f"page-{name}.png", animations="disabled")
        browser.close()


if __name__ == "__main__":
    main()
