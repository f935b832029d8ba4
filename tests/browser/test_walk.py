"""What a person sees and does, in a real browser against a real server with real runs."""

from __future__ import annotations

import re
from urllib.parse import quote


def test_a_triggered_task_turns_green_without_reload_and_its_log_is_read_live(tab, server) -> None:
    page = tab.open("/dags/slow/trigger")
    page.click("#agree")
    page.wait_for_url(re.compile(r"/dags/slow/runs/manual"))
    run_path = page.url.removeprefix(tab.url)
    page.wait_for_selector('tr:has-text("talk") .pill[data-state="running"]')
    page.evaluate("window.sameDocument = true")

    log = tab.page.context.new_page()
    log.goto(f"{tab.url}{run_path}/tasks/talk")
    log.wait_for_selector("#log >> text=first line")
    assert log.locator("#log >> text=INFO - last line").count() == 0
    server.stop_file.touch()
    log.wait_for_selector("#log >> text=INFO - last line")
    page.wait_for_selector('tr:has-text("talk") .pill[data-state="success"]')
    page.wait_for_selector('tr:has-text("after") .pill[data-state="success"]')
    assert page.evaluate("window.sameDocument") is True


def test_the_grid_draws_a_cell_for_each_task_and_folds_its_groups(tab) -> None:
    page = tab.open("/dags/orders")
    page.wait_for_selector("#grid[data-drawn]")
    grid = page.locator("#grid")
    runs = page.evaluate("JSON.parse(document.getElementById('grid-data').textContent).runs.length")

    assert int(grid.get_attribute("data-cells")) == 6 * runs
    assert int(grid.get_attribute("data-drawn")) == 7 * runs  # and a line for the group
    page.click(".grid-labels .group")
    page.wait_for_selector(f'#grid[data-drawn="{5 * runs}"]')
    assert "folded=load" in page.url


def test_the_grid_is_walked_by_keys(tab) -> None:
    page = tab.open("/dags/orders")
    page.focus("#grid")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.wait_for_selector("#side h2")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/tasks/"))


def test_a_cell_has_the_colour_of_its_state_in_both_themes(tab) -> None:
    colours = []
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)
        page = tab.open("/dags/orders")
        page.wait_for_selector("#grid[data-drawn]")
        colours.append(
            page.evaluate(
                """() => { const c = document.querySelector('#grid canvas');
                const d = c.getContext('2d').getImageData(232 + 8 + 6, 84 + 6, 1, 1).data;
                return [d[0], d[1], d[2]]; }"""
            )
        )
    assert colours == [[0x1F, 0x7A, 0x57], [0x3F, 0xAE, 0x7B]]


def test_the_graph_has_a_box_for_each_task_and_every_edge_goes_right(tab, orders_run) -> None:
    page = tab.open(f"{orders_run}/graph")

    assert page.locator("#graph .node").count() == 6
    assert page.locator("#graph .node[data-state=success]").count() == 6
    boxes = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('#graph .node')].map((n) => {
        const b = n.querySelector('rect').getBoundingClientRect();
        return [n.dataset.id, [b.left, b.top, b.right, b.bottom]]; }))"""
    )
    edges = page.evaluate("JSON.parse(document.getElementById('graph').dataset.edges)")
    assert len(edges) == 6
    assert all(boxes[a][2] < boxes[b][0] for a, b in edges)
    page.click('[data-fold="load"]')
    page.wait_for_selector('#graph .node[data-id="load"]')
    assert page.locator("#graph .node").count() == 5


def test_the_gantt_has_a_lane_for_each_task_and_a_bar_for_each_try(tab, orders_run) -> None:
    page = tab.open(f"{orders_run}/gantt")

    assert page.locator("#gantt .lane:not(.axis)").count() == 6
    assert page.locator("#gantt .lane:not(.axis) rect.run").count() == 8


def test_a_script_in_a_log_is_text(tab, orders_run) -> None:
    page = tab.open(f"{orders_run}/tasks/load.left")

    assert "<script>alert(1)</script>" in page.inner_text("#log")
    assert page.locator("#log script").count() == 0


def test_the_trigger_form_passes_what_was_chosen_and_keeps_what_was_refused(tab) -> None:
    page = tab.open("/dags/orders/trigger")
    page.select_option("#f1", label="us")
    page.fill("#f2", "20")
    page.click("#agree")
    page.wait_for_url(re.compile("/runs/manual"))
    page.click("text=Details")
    page.wait_for_selector("pre >> text=us")
    assert '"limit": 20' in page.inner_text("pre")


def test_clearing_says_what_it_touches_and_does_just_that(tab, server) -> None:
    server.mended_file.touch()
    run_id = server.rows("dags", "list-runs", "broken")[0]["run_id"]
    page = tab.open(f"/dags/broken/runs/{quote(run_id, safe='')}/tasks/fails")
    page.click("text=Clear…")
    page.wait_for_selector("dialog[open] #preview >> text=1 task instance in 1 run")
    page.check("#wide-downstream")
    page.wait_for_selector("dialog[open] #preview >> text=2 task instances in 1 run")
    page.click("dialog[open] #agree")
    page.wait_for_selector("text=Cleared 2 task instances in 1 run.")
    page.wait_for_selector('.head .pill[data-state="success"]')


def test_switching_on_says_how_many_runs_catchup_makes(tab, server) -> None:
    page = tab.open("/dags/daily")
    page.click("#pause-daily")
    page.wait_for_selector("dialog[open] >> text=Catchup creates 5 runs")
    page.click("dialog[open] [data-close]")

    assert page.locator("#pause-daily").get_attribute("aria-checked") == "false"


def test_a_backfill_makes_what_its_preview_says(tab, server) -> None:
    page = tab.open("/dags/daily/backfill")
    page.fill("#from", "2024-01-01")
    page.fill("#to", "2024-01-03")
    page.click("#dry-run")
    page.wait_for_selector("#preview >> text=3 runs would go")
    page.click("#agree")
    page.wait_for_url(re.compile("/backfills"))
    page.wait_for_selector('.pill[data-state="success"] >> text=3 Success')


def test_a_question_is_answered_where_it_waits_and_its_task_goes_on(tab, server) -> None:
    page = tab.open("/required_actions")
    server.cli("dags", "trigger", "asking", "--run-id", "ask_1")
    page.click('a.button:has-text("Answer…")')  # the list hears of it by itself
    page.wait_for_selector('#dialog h1:has-text("Ship ask_1?")')
    page.fill('#dialog input[name="param.percent"]', "25")

    page.click('#dialog button:text-is("yes")')

    page.wait_for_url(re.compile(r"/dags/asking/runs/ask_1/tasks/ask"))
    page.wait_for_selector('#question:has-text("answered by admin")')
    page.wait_for_selector('.head .pill[data-state="success"]')


def test_a_favourite_is_kept_and_found_by_its_chip(tab) -> None:
    page = tab.open("/dags")
    page.click("#star-orders")
    page.wait_for_selector('#star-orders[aria-pressed="true"]')
    page.click('a.chip:has-text("Favourites 1")')
    page.wait_for_url(re.compile("state=favourites"))
    assert page.locator("table.dags tbody tr").count() == 1

    page.click("#star-orders")
    page.wait_for_selector("text=Nothing matches")
    assert page.locator('a.chip:has-text("Favourites")').count() == 0


def test_the_theme_is_kept(tab) -> None:
    page = tab.open("/dags")
    page.click("#theme")
    page.wait_for_selector('html[data-theme="dark"]')
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(13, 18, 24)"
    assert tab.open("/runs").get_attribute("html", "data-theme") == "dark"


def test_search_goes_to_a_dag_by_keys_only(tab) -> None:
    page = tab.open("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("orde")
    page.wait_for_selector("#palette li >> text=orders")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/dags/orders$"))


def test_without_scripts_lists_graph_gantt_and_logs_are_there(
    chromium, context, server, orders_run
):
    quiet = chromium.new_context(java_script_enabled=False, storage_state=context.storage_state())
    page = quiet.new_page()
    for path, what in (("/dags", "orders"), (f"{orders_run}/graph", "start"),
                       (f"{orders_run}/gantt", "numbers"), (f"{orders_run}/tasks/start", "hello"),
                       ("/dags/orders?view=table", "Success")):  # fmt: skip
        page.goto(server.url + path)
        assert what in page.inner_text("main"), path
    quiet.close()


def test_pages_keep_to_their_weight(tab) -> None:
    for path, elements_max in (("/dags/orders", 400), ("/dags", 2500), ("/", 1000)):
        page = tab.open(path)
        assert page.evaluate("document.querySelectorAll('*').length") <= elements_max, path
