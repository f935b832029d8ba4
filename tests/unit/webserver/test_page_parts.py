"""The pure parts of pages: grid, Gantt, calendar, forms of params, logs, messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.control.input import InvalidInput
from tradewind.database.history import Lap
from tradewind.database.values import EventRow
from tradewind.sdk.serialized import (
    SerializedDag,
    SerializedGroup,
    SerializedParam,
    SerializedTask,
    SerializedTimetable,
)
from tradewind.webserver.calendar_year import make_year
from tradewind.webserver.events import QUEUE_MAX, Subscription, messages_of
from tradewind.webserver.gantt import make_chart
from tradewind.webserver.graph import View, default_open, draw
from tradewind.webserver.grid import LETTERS, grid_rows, worst
from tradewind.webserver.params_form import make_fields, read_conf
from tradewind.webserver.states import STATE_LOOKS
from tradewind.webserver.task_log import clean, read_part

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)


def dag_with_a_group() -> SerializedDag:
    return SerializedDag(
        dag_id="d",
        dialect="3",
        timetable=SerializedTimetable(kind="null"),
        groups=[SerializedGroup("g", label="g"), SerializedGroup("g.h", "h", parent_id="g")],
        tasks=[
            SerializedTask("a", "Bash"),
            SerializedTask("g.b", "Bash", label="b", group_id="g", upstream_task_ids=["a"]),
            SerializedTask("g.h.c", "Bash", group_id="g.h", upstream_task_ids=["g.b"]),
            SerializedTask("z", "Bash", upstream_task_ids=["g.h.c"]),
        ],
    )


def test_every_state_has_a_letter_and_a_look() -> None:
    assert set(LETTERS) == set(STATE_LOOKS)
    assert len(set(LETTERS.values())) == len(LETTERS)


def test_a_failure_stands_for_all_and_what_waits_for_what_is_done() -> None:
    assert worst({"success": 9, "failed": 1}) == "failed"
    assert worst({"success": 2, "skipped": 1}) == "success"
    assert worst({"success": 1, "none": 1}) == "none"
    assert worst({}) == ""


def test_rows_nest_groups_and_keep_tasks_that_have_gone() -> None:
    rows = grid_rows(dag_with_a_group(), ["a", "old"])

    assert [(row.id, row.depth, row.is_group) for row in rows] == [
        ("a", 0, False), ("g", 0, True), ("g.b", 1, False), ("g.h", 1, True), ("g.h.c", 2, False),
        ("z", 0, False), ("old", 0, False),
    ]  # fmt: skip
    assert rows[-1].is_removed


def test_a_closed_group_is_one_box_with_the_worst_state_inside() -> None:
    states = {"g.b": {"success": 1}, "g.h.c": {"failed": 1}}

    drawing = draw(dag_with_a_group(), View(), states)

    assert [(node.id, node.state) for node in drawing.nodes] == [
        ("a", "none"), ("g", "failed"), ("z", "none"),
    ]  # fmt: skip
    assert drawing.edges == [("a", "g"), ("g", "z")]


def test_an_open_group_shows_its_closed_child_as_a_box() -> None:
    drawing = draw(dag_with_a_group(), View({"g"}), {})

    assert {node.id for node in drawing.nodes} == {"a", "g.b", "g.h", "z"}
    assert [group.id for group in drawing.groups] == ["g"]


def test_the_neighbourhood_of_a_task_is_two_steps_each_way() -> None:
    dag = dag_with_a_group()

    drawing = draw(dag, View(default_open(dag), around="z"), {})

    assert {node.id for node in drawing.nodes} == {"z", "g.h.c", "g.b"}


class Instance:
    """What the chart asks of a task instance."""

    def __init__(self, task_id: str, start_s: float | None, end_s: float | None) -> None:
        from tradewind.sdk.states import TaskInstanceState

        self.task_id, self.map_index, self.try_number = task_id, -1, 2
        self.state = TaskInstanceState.SUCCESS
        self.queued_at = at(start_s - 1) if start_s is not None else None
        self.started_at, self.ended_at = at(start_s), at(end_s)


def at(seconds: float | None) -> datetime | None:
    return None if seconds is None else NOW + timedelta(seconds=seconds)


def lap(task_id: str, number: int, start_s: float, end_s: float | None) -> Lap:
    return Lap(task_id, -1, number, "success", at(start_s - 1), at(start_s), at(start_s), at(end_s))


def test_bars_are_shares_of_the_run_and_earlier_tries_are_told_apart() -> None:
    instances = [Instance("a", 5, 6), Instance("b", 7, None)]
    laps = [lap("a", 1, 1, 2), lap("a", 2, 5, 6), lap("b", 2, 7, None)]

    chart = make_chart(instances, laps, {"b": ["a"]}, at(11))

    a, b = chart.draw(chart.sources)
    assert [(bar.x, bar.width, bar.is_earlier) for bar in a.bars] == [
        (0.0, 10.0, True), (40.0, 10.0, False),
    ]  # fmt: skip
    assert (b.bars[0].wait_x, b.bars[0].x, b.bars[0].width) == (50.0, 60.0, 40.0)
    assert a.is_critical
    assert len(chart.axis.ticks()) <= 10


def test_nothing_has_started_is_no_chart() -> None:
    assert make_chart([Instance("a", None, None)], [], {}, NOW) is None


def test_a_day_shows_the_worst_of_its_runs_and_what_is_planned() -> None:
    year = make_year(2024, [(NOW, "success"), (NOW, "failed")], [NOW + timedelta(days=1)])

    day = next(day for day in year.days if day.day == NOW.date())
    assert (day.runs, day.state) == (2, "failed")
    assert len(year.days) == 366
    assert sum(day.planned for day in year.days) == 1


PARAMS = [
    SerializedParam("region", default="eu", schema={"enum": ["eu", "us", 7]}),
    SerializedParam("limit", default=5, schema={"type": "integer"}),
    SerializedParam("full", default=True, schema={"type": "boolean"}),
    SerializedParam("extra", default={"a": 1}, schema={"type": "object"}),
    SerializedParam("maybe", default=None, schema={"type": ["null", "string"]}),
    SerializedParam("day", default="2024-01-01", schema={"type": "string", "format": "date"}),
]


def test_each_kind_of_param_has_its_input() -> None:
    kinds = [field.kind for field in make_fields(PARAMS)]

    assert kinds == ["select", "integer", "checkbox", "json", "text", "date"]


def test_what_is_left_as_it_was_is_not_in_the_configuration() -> None:
    form = {field.input_name: field.value for field in make_fields(PARAMS)}

    assert read_conf(PARAMS, form) == {}
    changed = {**form, "param.region": "7", "param.limit": "9", "param.extra": "[]"}
    del changed["param.full"]
    assert read_conf(PARAMS, changed) == {"region": 7, "limit": 9, "full": False, "extra": []}


def test_what_cannot_be_read_names_its_param() -> None:
    with pytest.raises(InvalidInput, match="limit"):
        read_conf(PARAMS, {"param.limit": "many"})


def test_a_log_is_read_from_its_end_and_then_followed(tmp_path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"line %d\n" % n for n in range(1500)))

    last = read_part(path)
    earlier = read_part(path, before=last.start)
    assert [line[0] for line in (*earlier.lines, *last.lines)] == [f"line {n}" for n in range(1500)]
    with path.open("ab") as stream:
        stream.write(b"whole\nhalf")
    assert [line[0] for line in read_part(path, start=last.end).lines] == ["whole"]


def test_any_bytes_become_harmless_text_with_a_level() -> None:
    line = b"[2024-01-01] {x.py:1} ERROR - \x1b[31mred\x1b[0m \xff\x00 \x1b]8;;http://x\x07l"

    assert clean(line) == (
        "[2024-01-01] {x.py:1} ERROR - red \\xff\N{REPLACEMENT CHARACTER} l",
        "error",
        [(30, 33, "red")],
    )
    assert clean(b"all is well")[1] == ""


def event(number: int, kind: str, dag_id: str | None, run_id: str | None = None) -> EventRow:
    return EventRow(number, NOW, kind, "user:ada", dag_id, run_id, None, None, {"secret": 1})


def test_changes_of_one_run_are_one_message_and_say_nothing_of_their_content() -> None:
    rows = [
        event(1, "state", "d", "r"),
        event(2, "variable.set", None),
        event(3, "state", "d", "r"),
        event(4, "dag.paused", "d"),
    ]

    assert messages_of(rows) == [
        {"kind": "state", "dag_id": "d", "run_id": "r", "cursor": 3},
        {"kind": "act", "dag_id": "d", "run_id": None, "cursor": 4},
    ]


def test_a_reader_who_is_too_slow_is_told_to_look_again() -> None:
    reader = Subscription()
    for number in range(QUEUE_MAX + 1):
        reader.put({"kind": "state", "cursor": number})

    assert reader.get(0)["kind"] == "resync"
    assert reader.get(0) is None
