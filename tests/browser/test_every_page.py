"""Every page opens without a fault, fits a phone, and axe finds nothing serious in either theme."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

PAGES = [
    "/", "/dags", "/runs", "/task_instances", "/required_actions", "/timeline", "/forecast",
    "/assets", "/assets?view=graph", "/assets/1", "/assets/1/event", "/admin", "/pools",
    "/variables", "/connections", "/jobs", "/events", "/users", "/users?name=admin",
    "/roles",
    "/roles?name=Viewer", "/providers", "/plugins", "/preferences", "/keys", "/import_errors",
    "/status", "/dags/orders", "/dags/orders?view=table", "/dags/orders/graph",
    "/dags/orders/runs", "/dags/orders/tasks", "/dags/orders/tasks/start", "/dags/orders/durations",
    "/dags/orders/calendar", "/dags/orders/backfills", "/dags/orders/code", "/dags/orders/events",
    "/dags/hostile/details", "/dags/orders/trigger", "/dags/orders/delete",
    "/dags/daily/backfill?from=2024-01-01&to=2024-01-03", "/dags/daily/confirm-active",
]  # fmt: skip
OF_RUN = ["", "/graph", "/gantt", "/events", "/code", "/details", "/mark", "/tasks/start",
          "/tasks/start?tab=xcom", "/tasks/start?tab=tries", "/tasks/start?tab=details",
          "/tasks/double"]  # fmt: skip
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def axe() -> str:
    package = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    return next(Path(package.__file__).parent.rglob("axe.min.js")).read_text()


def findings(page, options: str) -> list[str]:
    """Return what axe says that is serious or critical."""
    return page.evaluate(
        f"""async () => (await axe.run({options})).violations
        .filter((one) => ["serious", "critical"].includes(one.impact))
        .map((one) => one.id + ": " + one.nodes[0].html.slice(0, 160))"""
    )


@pytest.mark.parametrize("part", range(3))
def test_a_page_opens_fits_a_phone_and_is_accessible(tab, orders_run, axe, part) -> None:
    """One load of each page: rules of axe in the light theme, its contrasts in the dark one."""
    hostile = f"/dags/hostile/tasks/{'t' * 200}"
    paths = [*PAGES, *(orders_run + end for end in OF_RUN), hostile]
    tab.page.set_viewport_size(PHONE)
    faults = []
    for path in paths[part::3]:
        tab.page.emulate_media(color_scheme="light")
        page = tab.open(path)
        if page.locator("h1").count() != 1:
            faults.append(f"{path}: not one heading")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            faults.append(f"{path}: {width} pixels wide")
        page.evaluate(axe)
        found = findings(page, "{resultTypes: ['violations']}")
        page.emulate_media(color_scheme="dark")
        found += findings(page, "{runOnly: {type: 'rule', values: ['color-contrast']}}")
        faults += [f"{path}: {one}" for one in found]
    assert faults == []


def test_the_hostile_dag_is_only_text_everywhere(tab, server) -> None:
    run_id = quote(server.rows("dags", "list-runs", "hostile")[0]["run_id"], safe="")
    task = "t" * 200
    for path in (
        "/dags", "/dags/hostile", "/dags/hostile/graph?assets=1", "/dags/hostile?view=table",
        "/dags/hostile/details", f"/dags/hostile/runs/{run_id}/gantt", "/assets", "/assets/1",
        "/assets?view=graph", f"/dags/hostile/runs/{run_id}/tasks/{task}", "/timeline",
    ):  # fmt: skip
        page = tab.open(path)
        assert page.locator("main img, main b, main i, main svg[onload]").count() == 0, path
    page = tab.open("/dags/hostile/details")
    assert page.locator(".doc strong").inner_text() == "bold"
    assert page.locator('.doc a[href^="javascript"]').count() == 0


def test_a_log_keeps_colours_and_folds_groups(tab, server) -> None:
    run_id = quote(server.rows("dags", "list-runs", "hostile")[0]["run_id"], safe="")
    page = tab.open(f"/dags/hostile/runs/{run_id}/tasks/{'t' * 200}")
    assert page.locator("#log .ansi-red").inner_text() == "red"
    assert "in it" in page.inner_text("#log")
    page.click("#log .log-group")
    page.wait_for_function(
        """[...document.querySelectorAll("#log > div")]
        .some((line) => line.hidden && line.textContent.endsWith("- in it"))"""
    )
    page.fill("#log-find", "in it")
    page.keyboard.press("Enter")
    page.wait_for_selector("#log .found >> text=in it")
