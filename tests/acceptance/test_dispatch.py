"""How tries begin, wait, end and are told of: the same in every set-up."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path


def signs(work, name: str) -> list[str]:
    """Return the lines that tasks and callbacks have left under a name."""
    path = work.home / name
    return path.read_text().splitlines() if path.exists() else []


def begin(work, run_id: str, count: int = 1) -> int:
    """Trigger the DAG whose task waits for a sign; return the pid of that task."""
    if count == 1:
        work.trigger("held", dag_run_id=run_id)
    name = f"holding_{run_id}"
    work.wait_until(lambda: len(signs(work, name)) == count, f"try {count} of {run_id}")
    return int(signs(work, name)[-1])


def let_go(work, run_id: str) -> None:
    (work.home / f"let_go_{run_id}").touch()


def clear(work, dag_id: str, run_id: str, *task_ids: str) -> None:
    work.ask(
        f"/dags/{dag_id}/clearTaskInstances",
        {
            "dag_run_id": run_id,
            "task_ids": list(task_ids),
            "include_downstream": True,
            "only_failed": False,
            "dry_run": False,
            "reset_dag_runs": True,
        },
    )


def test_a_try_that_fails_is_repeated_and_each_has_its_log(work) -> None:
    run_id = work.trigger("tried_again")

    assert work.end_of("tried_again", run_id) == "success"
    assert work.xcom("tried_again", run_id, "third_time_lucky") == 3
    for number in (1, 2, 3):
        text = work.log("tried_again", run_id, "third_time_lucky", number)
        assert f"this is try {number}" in text
        assert ("is bad" in text) == (number < 3)
    work.wait_until(lambda: len(signs(work, "retried")) >= 2, "two callbacks of retries")
    assert len(signs(work, "retried")) == 2


def test_ends_of_all_kinds_are_told_once(work) -> None:
    run_id = work.trigger("ends_badly")

    assert work.end_of("ends_badly", run_id) == "failed"
    assert work.states("ends_badly", run_id) == {
        "too_slow": "failed",
        "at_once": "failed",
        "skips": "skipped",
        "below_the_skip": "skipped",
        "exit_99": "skipped",
        "exit_3": "failed",
        "odd_text": "success",
        "odd_failure": "failed",
    }
    assert work.instances("ends_badly", run_id)["at_once"]["try_number"] == 1
    work.wait_until(lambda: len(signs(work, "mourned")) >= 2, "both callbacks")
    assert sorted(signs(work, "mourned")) == [f"dag {run_id}", "task AirflowTaskTimeout"]


def test_mapped_tasks_and_groups_are_as_many_as_their_values(work) -> None:
    run_id = work.trigger("mapped")

    assert work.end_of("mapped", run_id) == "success"
    states = work.states("mapped", run_id)
    counts = Counter(name.partition("[")[0] for name in states if "[" in name)
    assert counts == {"double": 3, "each.add": 3, "said": 2, "crossed": 2}
    assert states["none_of_them"] == "skipped"
    assert work.xcom("mapped", run_id, "total") == 12
    assert work.xcom("mapped", run_id, "grouped") == 42
    assert work.xcom("mapped", run_id, "said", 1) == "b"
    assert [work.xcom("mapped", run_id, "crossed", index) for index in (0, 1)] == [6, 20]


def test_sensors_wait_in_each_of_their_ways(work) -> None:
    run_id = work.trigger("waits")
    waiting = {
        "poked": "running",
        "rescheduled": "up_for_reschedule",
        "deferred": "deferred",
        "in_vain": "skipped",
        "long_past": "success",
    }
    work.wait_until(lambda: work.states("waits", run_id) == waiting, "three that wait")
    (work.home / "come").touch()

    assert work.end_of("waits", run_id) == "success"
    assert work.xcom("waits", run_id, "poked") == "seen"


def test_a_cleared_task_that_runs_is_stopped_and_begins_again(work) -> None:
    pid = begin(work, "cleared")
    clear(work, "held", "cleared", "holds")
    begin(work, "cleared", count=2)
    let_go(work, "cleared")

    assert work.end_of("held", "cleared") == "success"
    assert not Path(f"/proc/{pid}").exists()
    assert work.xcom("held", "cleared", "after") == 2
    clear(work, "held", "cleared", "after")
    assert work.end_of("held", "cleared") == "success"
    instances = work.instances("held", "cleared")
    assert (instances["holds"]["try_number"], instances["after"]["try_number"]) == (2, 2)


def test_a_task_marked_failed_is_stopped(work) -> None:
    pid = begin(work, "marked")
    path = "/dags/held/dagRuns/marked/taskInstances/holds"
    work.ask(path, {"new_state": "failed"}, "PATCH")

    assert work.end_of("held", "marked") == "failed"
    work.wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the end of its process")
    assert work.states("held", "marked") == {"holds": "failed", "after": "upstream_failed"}


def test_a_killed_task_uses_one_try_and_is_repeated(work) -> None:
    pid = begin(work, "killed")
    os.kill(pid, 9)
    begin(work, "killed", count=2)
    let_go(work, "killed")

    assert work.end_of("held", "killed") == "success"
    assert work.xcom("held", "killed", "after") == 2
    assert "SIGKILL" in work.log("held", "killed", "holds", 1)


def test_a_live_log_is_shown_and_ends_with_a_verdict(work) -> None:
    run_id = work.trigger("mapped")

    assert work.end_of("mapped", run_id) == "success"
    assert "Task ended: success" in work.log("mapped", run_id, "total")


def test_variables_connections_and_params_reach_templates_and_code(work) -> None:
    work.ask("/variables", {"key": "work_word", "value": "hello"})
    place = {"connection_id": "work_place", "conn_type": "http", "host": "here.example"}
    work.ask("/connections", place)
    run_id = work.trigger("asks", conf={"size": 7})

    assert work.end_of("asks", run_id) == "success"
    assert work.xcom("asks", run_id, "rendered") == "hello here.example 7"
    assert work.xcom("asks", run_id, "reads") == "http://here.example"
    assert work.ask("/variables/work_answer")["value"] == "hello!"
