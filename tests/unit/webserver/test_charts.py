"""Axes, the timeline, durations, folded graphs, colours of logs, commands: pure parts of pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tradewind.database.timeline import WaitingRow, Work
from tradewind.planning.forecast import ExpectedRun
from tradewind.sdk.serialized import SerializedDag, SerializedTask, SerializedTimetable
from tradewind.webserver.duration_chart import Length, make_duration_chart
from tradewind.webserver.equivalents import equivalents
from tradewind.webserver.graph import View, draw
from tradewind.webserver.layout import Group, Node, lay_out
from tradewind.webserver.log_colours import split_colours
from tradewind.webserver.markdown import markdown
from tradewind.webserver.task_log import LogPart, find_words, lines_markup, read_part
from tradewind.webserver.time_axis import Axis
from tradewind.webserver.timeline_chart import BUCKETS, machine_loads, pool_loads, run_lanes

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def work(run_id: str, start: float, end: float | None, **changed: object) -> Work:
    fields = {
        "dag_id": "d", "run_id": run_id, "run_state": "success", "task_id": "t", "pool": "p",
        "pool_slots": 1, "hostname": "h", "state": "success", "ready_at": None, "queued_at": None,
        "claimed_at": at(start), "ended_at": None if end is None else at(end), **changed,
    }  # fmt: skip
    return Work(**fields)


@pytest.mark.parametrize(
    "length", [timedelta(seconds=1), MINUTE, 60 * MINUTE, 300 * 24 * 60 * MINUTE]
)
def test_ticks_stand_at_whole_steps_and_never_crowd(length: timedelta) -> None:
    ticks = Axis(at(0.3), at(0.3) + length).ticks(ZoneInfo("Asia/Kolkata"))

    assert 2 <= len(ticks) <= 11
    assert [tick.percent for tick in ticks] == sorted(tick.percent for tick in ticks)


def test_what_is_outside_of_the_axis_stands_at_its_edge() -> None:
    axis = Axis(at(0), at(10))

    assert (axis.percent(at(-5)), axis.percent(at(5)), axis.percent(at(99))) == (0, 50, 100)


def test_runs_of_one_dag_at_the_same_time_stand_below_one_another() -> None:
    expected = ExpectedRun("d", at(20), at(22), at(30), is_length_known=True, is_by_assets=False)
    lanes = run_lanes(
        [work("a", 0, 4), work("a", 4, 6), work("b", 5, 9), work("c", 10, 11)],
        [expected], Axis(at(0), at(40)), at(12),
    )  # fmt: skip

    (lane,) = lanes
    assert [(bar.run_id, bar.sublane, bar.tasks) for bar in lane.bars] == [
        ("a", 0, 2), ("b", 1, 1), ("c", 0, 1), ("", 0, 0),
    ]  # fmt: skip
    assert (lane.bars[-1].wait_x, lane.bars[-1].x, lane.bars[-1].is_expected) == (50, 55, True)


def test_a_pool_shows_what_ran_in_it_and_what_waited_for_it() -> None:
    axis = Axis(at(0), at(BUCKETS))
    waiting = [WaitingRow("d", "r", "t", -1, "p", 2, at(BUCKETS - 10))]
    rows = [work("a", 0, BUCKETS / 2, ready_at=at(-10)), work("b", 10, None, pool_slots=3)]

    (load,) = pool_loads(rows, waiting, {"p": 4}, axis, at(BUCKETS))

    assert (load.peak, load.waiting_peak, load.limit) == (4.0, 2.0, 4)
    assert load.waited_s == pytest.approx(600)
    assert load.waiting_path
    assert machine_loads(rows, axis, at(BUCKETS))[0].peak == 2.0


def test_the_median_is_that_of_what_succeeded() -> None:
    lengths = [Length("r", NOW, state, 0, s) for state, s in
               (("success", 10), ("success", 20), ("failed", 500), ("success", 30))]  # fmt: skip

    chart = make_duration_chart(lengths)

    assert (chart.median_s, chart.p95_s) == (20, 30)
    assert max(bar.ran_height for bar in chart.bars) == 180
    assert make_duration_chart([]) is None


def fan(width: int) -> SerializedDag:
    middle = [SerializedTask(f"load_{n}", "Bash", upstream_task_ids=["a"]) for n in range(width)]
    return SerializedDag(
        dag_id="d",
        dialect="3",
        timetable=SerializedTimetable(kind="null"),
        tasks=[
            SerializedTask("a", "Bash"),
            *middle,
            SerializedTask("z", "Bash", upstream_task_ids=[one.task_id for one in middle]),
        ],
    )


def test_many_like_tasks_are_one_box_that_can_be_opened() -> None:
    states = {"load_0": {"failed": 1}, **{f"load_{n}": {"success": 1} for n in range(1, 998)}}
    drawing = draw(fan(998), View(), states)

    assert [node.kind for node in drawing.nodes] == ["task", "stack", "task"]
    stack = drawing.nodes[1]
    assert stack.label == "998 \N{MULTIPLICATION SIGN} load_*"
    assert stack.state == "failed"
    assert [state for state, _, _ in stack.shares] == ["failed", "success"]
    opened = draw(fan(10), View({"stack:load_0"}), {})
    assert len(opened.nodes) == 12
    assert [group.id for group in opened.groups] == ["stack:load_0"]
    assert len(draw(fan(7), View(), {}).nodes) == 9


def test_a_graph_drawn_downward_is_the_same_with_every_edge_going_down() -> None:
    nodes = [Node("a", 80, 32), Node("b", 120, 32, "g"), Node("c", 60, 32, "g"), Node("d", 90, 32)]
    edges = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")]

    picture = lay_out(nodes, edges, [Group("g", "", 300)], is_downward=True)

    boxes = picture.nodes
    assert all(boxes[a].y + boxes[a].height < boxes[b].y for a, b in edges)
    assert (boxes["b"].width, boxes["b"].height) == (120, 32)
    frame = picture.groups["g"]
    assert frame.width >= 300
    assert frame.y + 20 < boxes["b"].y


def test_colours_become_marks_and_everything_else_of_a_terminal_goes() -> None:
    text, marks = split_colours("a\x1b[1;31mb\x1b[0mc\x1b[2K\x1b]8;;http://x\x07d\x1b[92me")

    assert text == "abcde"
    assert marks == [(1, 2, "red bold"), (4, 5, "green")]
    part = LogPart([("a<b", "error", [(0, 1, "red")])], 0, 3, 3)
    line = '<div class="error" data-n="1" id="L1"><span class="ansi-red">a</span>&lt;b</div>'
    assert lines_markup(part) == line


def test_words_are_found_in_a_log_across_the_borders_of_what_is_read(tmp_path) -> None:
    path = tmp_path / "log"
    line = b"x" * 99 + b"\n"
    path.write_bytes(line * 20_000 + b"here is the Needle\n" + line * 10)

    found, _ = find_words(path, "needle", 0)

    assert found == 20_000 * 100
    assert find_words(path, "needle", found + 1)[0] is None


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "[x](javascript:alert(1))",
     "<img src=x onerror=alert(1)>", "[x](data:text/html,x)", "[x]( vbscript:x)"],
)  # fmt: skip
def test_markdown_holds_no_script_no_image_and_no_odd_link(text: str) -> None:
    html = markdown(text)

    assert "<script" not in html
    assert "<img" not in html
    assert "href" not in html


def test_an_image_of_another_server_is_a_link_at_most() -> None:
    assert "<img" not in markdown("![x](http://evil/p.png)")


def test_headings_of_markdown_stand_below_those_of_the_page() -> None:
    assert markdown("# One\n\n**two**") == "<h3>One</h3>\n<p><strong>two</strong></p>\n"


def test_an_act_is_told_as_a_command_and_as_a_call() -> None:
    lines = dict(
        equivalents("trigger", "http://h", {"dag_id": "a b", "conf": {"x": "it's"}, "note": ""})
    )

    assert lines["Command"] == """tradewind dags trigger 'a b' --conf '{"x": "it'"'"'s"}'"""
    assert lines["API"].startswith("curl -X POST http://h/api/v2/dags/a%20b/dagRuns -H ")
    assert equivalents("nothing", "http://h", {}) == []


def test_a_traceback_has_the_level_of_the_line_that_it_belongs_to(tmp_path) -> None:
    path = tmp_path / "log"
    path.write_text(
        "[2026-11-21T16:22:23.531+0000] {execute.py:349} ERROR - It failed\n"
        "Traceback (most recent call last):\n"
        "ValueError: no\n"
        "[2026-11-21T16:22:23.742+0000] {runner} INFO - Task ended\n"
        "plain\n"
    )

    part = read_part(path)

    assert [level for _, level, _ in part.lines] == ["error", "error", "error", "info", "info"]
    text, _, marks = part.lines[0]
    assert text[: marks[0][1]] == "[2026-11-21T16:22:23.531+0000] {execute.py:349} "
