"""``[logging] log_filename_template``: task logs where somebody wants them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.runtime.supervise.log_folder import check_log_folder
from tradewind.sdk.configuration import reset
from tradewind.sdk.errors import ConfigurationError
from tradewind.sdk.log_name_template import LoggedTry, LogNameTemplate
from tradewind.sdk.log_paths import AIRFLOW_TEMPLATES, task_log_path

AT = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)
TS = "2026-03-01T05:30:00+00:00"


@pytest.fixture
def set_template(monkeypatch, tmp_path):
    def set_to(text: str) -> None:
        monkeypatch.setenv("TRADEWIND__LOGGING__LOG_FILENAME_TEMPLATE", text)
        monkeypatch.setenv("TRADEWIND__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
        reset()

    yield set_to
    monkeypatch.undo()
    reset()


def path_of(task_id="t", map_index=-1, try_number=2, run_id="r", at=AT) -> str:
    return task_log_path("d", run_id, task_id, map_index, try_number, at)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        *((one, "dag_id=d/run_id=r/task_id=t/attempt=2.log") for one in AIRFLOW_TEMPLATES),
        ("{{ ti.dag_id }}/{{ ti.task_id }}/{{ ts }}/{{ try_number }}.log", f"d/t/{TS}/2.log"),
        ("{dag_id}/{task_id}/{execution_date}/{try_number}.log", f"d/t/{TS}/2.log"),
        (
            "{{ ds }}/{{ ti.logical_date.strftime('%H') }}/{{ run_id }}-{{ ti.dag_id }}."
            "{{ ti.task_id }}-{{ '%02d' % ti.try_number }}.txt",
            "2026-03-01/05/r-d.t-02.txt",
        ),
        (
            "{{ logical_date | ts_nodash }}_{{ ti.dag_id }}_{{ ti.task_id }}_{{ try_number }}.log",
            "20260301T053000_d_t_2.log",
        ),
    ],
)
def test_a_log_lies_where_the_template_says(set_template, template, path):
    set_template(template)

    check_log_folder()

    assert path_of() == path


@pytest.mark.parametrize("map_index", [-1, 3])
@pytest.mark.parametrize("template", AIRFLOW_TEMPLATES)
def test_airflows_own_template_is_the_layout_that_we_have_without(
    set_template, template, map_index
):
    without = path_of(map_index=map_index)

    assert LogNameTemplate(template).path(LoggedTry("d", "r", "t", map_index, 2, AT)) == without
    set_template(template)
    assert path_of(map_index=map_index) == without


def test_what_a_template_leaves_out_is_added_so_that_no_two_tries_share_a_file(set_template):
    set_template("{{ ti.dag_id }}/{{ ti.task_id }}.log")
    tries = [
        {"run_id": run_id, "at": at, "map_index": map_index, "try_number": number}
        for run_id, at in (("r", AT), ("s", AT + timedelta(days=1)))
        for map_index in (-1, 0, 1)
        for number in (1, 2)
    ]

    paths = [path_of(**one) for one in tries]

    assert len(set(paths)) == len(tries)
    assert paths[0] == "d/t.run_id=r.try_number=1.log"
    assert paths[2] == "d/t.run_id=r.map_index=0.try_number=1.log"


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "x" * 1000, "{{ 1 }}"])
def test_neither_an_id_nor_the_template_leads_out_of_the_log_folder(set_template, name):
    set_template("/../{{ ti.run_id }}//./{{ ti.task_id }}/{{ ti.dag_id }}_{{ try_number }}.log")

    parts = path_of(task_id=name, run_id=name).split("/")

    assert not {"", ".", ".."} & set(parts)
    assert parts[-1] == "d_2.log"
    assert len(parts) <= 3
    assert all(len(part.encode()) < 255 for part in parts)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ ti.dag_id }}/{{ dag.owner }}.log", "'dag' is undefined"),
        ("{{ ti.hostname }}.log", "has no attribute 'hostname'"),
        ("{{ ti.dag_id }.log", "unexpected '}'"),
        ("{owner}/{try_number}.log", "'owner' is not known"),
        (
            "{{ ti.dag_id }}{% if ti.map_index < 0 %}{{ nope }}{% endif %}.log",
            "'nope' is undefined",
        ),
    ],
)
def test_a_template_that_cannot_be_used_is_told_before_a_service_starts(
    set_template, template, said
):
    set_template(template)

    with pytest.raises(ConfigurationError) as refused:
        check_log_folder()

    message = str(refused.value)
    assert message.startswith("[logging] log_filename_template cannot be used (")
    assert said in message
    assert message.endswith(template)


def test_the_runner_names_logs_so_and_writes_it_to_the_rows(set_template, world, claim):
    set_template("{{ ti.dag_id }}/{{ ti.task_id }}/{{ ts }}.log")
    undated = {"logical_date": None, "run_after": AT}

    world.queue(claim(1, dag_run=undated))
    world.processes.end("1-1")
    world.runner.turn()

    path = f"sales/task_1/{TS}.try_number=1.log"
    assert [order.log_path for order in world.processes.started] == [path]
    assert [result.log_path for result in world.attempts.finished] == [path]
