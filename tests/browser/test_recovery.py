"""Many tabs, a server that dies, a session that ends, a prefix, and two people at one task."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

TABS = 8


def test_eight_tabs_share_one_stream_and_recover_when_the_server_is_killed(
    context, server, tab
) -> None:
    streams = []
    context.on("request", lambda one: streams.append(one) if "/ui/stream" in one.url else None)
    pages = [context.new_page() for _ in range(TABS)]
    for page in pages:
        page.goto(f"{server.url}/dags/orders/runs")
        page.wait_for_selector('#stream[data-stream="live"]')
    assert len(streams) == 1
    before = pages[0].locator("main tbody tr").count()

    for pid in server.processes("web"):
        os.kill(pid, signal.SIGKILL)
    pages[0].wait_for_selector('#stream[data-stream="away"]')
    for page in pages:
        page.wait_for_selector('#stream[data-stream="live"]')
    server.cli("dags", "trigger", "orders")
    for page in pages:
        page.wait_for_selector(f"main tbody tr:nth-child({before + 1})")


def test_a_session_that_ends_in_the_middle_of_an_act_changes_nothing_and_says_so(
    tab, server
) -> None:
    page = tab.open("/dags/orders")
    page.context.clear_cookies()
    page.click("#pause-orders")
    page.wait_for_url(re.compile(r"/login\?next="))
    page.wait_for_selector("text=Your session has ended, and nothing was changed")
    page.fill("#username", "admin")
    page.fill("#password", server.password)
    page.click("button[type=submit]")
    page.wait_for_url(re.compile(r"/dags/orders$"))
    assert page.get_attribute("#pause-orders", "aria-checked") == "true"


def test_two_tabs_clear_the_same_task(context, tab, server) -> None:
    run_id = quote(server.rows("dags", "list-runs", "hostile")[0]["run_id"], safe="")
    path = f"/dags/hostile/runs/{run_id}/tasks/{'t' * 200}"
    pages = [tab.open(path), context.new_page()]
    pages[1].goto(server.url + path)
    for page in pages:
        page.click("text=Clear…")
        page.wait_for_selector("dialog[open] #agree")
    for page in pages:
        page.click("dialog[open] #agree")
        page.wait_for_selector("text=/Cleared [01] task instance/")


def test_everything_stands_below_a_prefix(chromium, server) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    base = f"http://127.0.0.1:{port}/some/prefix"
    web = subprocess.Popen(
        [Path(sys.executable).with_name("tradewind"), "webserver", "--port", str(port)],
        env={**server.environment, "TRADEWIND__API__BASE_URL": base},
        cwd=server.home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        made = chromium.new_context(reduced_motion="reduce")
        page = made.new_page()
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        page.on("requestfailed", lambda _: None)
        server.wait_until(lambda: _answers(port), "the page server answers")
        page.goto(f"{base}/dags/orders")
        page.fill("#username", "admin")
        page.fill("#password", server.password)
        page.click("button[type=submit]")
        page.wait_for_url(f"{base}/dags/orders")
        page.wait_for_selector('#stream[data-stream="live"]')
        page.goto(f"{base}/")
        page.wait_for_selector("body[data-ready]")
        links = page.eval_on_selector_all("a[href]", "all => all.map((one) => one.href)")
        assert [one for one in links if not one.startswith(base)] == []
        assert [one for one in asked if not one.startswith((base, "data:"))] == []
        page.keyboard.press("g")
        page.keyboard.press("d")
        page.wait_for_url(f"{base}/dags")
        made.close()
    finally:
        web.terminate()
        web.wait(timeout=10)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_failed_task_is_found_and_cleared_by_keys_only(tab, server) -> None:
    server.cli("dags", "trigger", "broken")
    page = tab.open("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("broken")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/dags/broken$"))
    page.wait_for_selector("#grid[data-drawn]")
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == "grid":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("End")
    page.keyboard.press("Space")
    page.wait_for_selector("#side h2")
    page.keyboard.press("c")
    page.wait_for_selector("dialog[open] #agree")
    for _ in range(20):
        if page.evaluate("document.activeElement.id") == "agree":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=/Cleared 1 task instance/")
    assert quote("broken") in page.url


def test_many_runs_are_cleared_at_once_and_a_note_is_taken_back(tab, orders_run) -> None:
    page = tab.open("/dags/orders/runs")
    assert page.locator("#bulk").is_hidden()
    page.check("[data-pick-all]")
    page.click("#bulk >> text=Clear failed tasks…")
    page.wait_for_selector("dialog[open] >> text=0 task instances will go again")
    page.click("dialog[open] [data-close]")
    page = tab.open(orders_run)
    page.keyboard.press("n")
    page.fill("dialog[open] #note", "look at this")
    page.click("dialog[open] #agree")
    page.wait_for_selector("text=look at this")
    page.click(".undo")
    page.wait_for_selector(".facts >> text=look at this", state="detached")


def test_a_form_is_also_a_command(tab) -> None:
    page = tab.open("/dags/orders/trigger")
    page.select_option("#f1", label="us")
    page.click(".copies summary")
    page.wait_for_selector(".copied code >> text=tradewind dags trigger orders")
    page.wait_for_selector(".copied code:has-text('region')")
    assert '"region": "us"' in page.inner_text(".copied:first-child code")


def test_the_axis_of_a_gantt_is_dragged_to_zoom(tab, orders_run) -> None:
    page = tab.open(f"{orders_run}/gantt")
    box = page.locator("#gantt .axis svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 10)
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=.*to="))
    page.wait_for_selector("#gantt-whole")
