"""Triggers that watch assets: who runs them, and what becomes of what they say."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from tradewind.database.values import (
    ParsedDag,
    ParsedFile,
    WatcherEnd,
    WatcherEvent,
    WorkerIdentity,
)
from tradewind.sdk.serialized import (
    SerializedAsset,
    SerializedDag,
    SerializedTask,
    SerializedTimetable,
    SerializedWatcher,
    encode,
)

KWARGS = '{"queue":"s3cr3t"}'


def watcher(name="data", kwargs=KWARGS, *, called="inbox", class_path="a.Trigger"):
    return SerializedWatcher(name, f"s3://{name}", called, class_path, kwargs)


def declare(house, *watchers, dag_id="d", is_paused=False):
    """Save a DAG file whose DAG names the watched assets as its outlets."""
    named = {(one.asset_name, one.asset_uri) for one in watchers}
    outlets = [SerializedAsset(*one) for one in sorted(named)]
    dag = SerializedDag(
        dag_id,
        "3",
        SerializedTimetable("null"),
        relative_fileloc=f"{dag_id}.py",
        tasks=[SerializedTask("make", "Operator", outlets=outlets)],
        is_paused_upon_creation=is_paused,
    )
    house.store.files.save(
        ParsedFile(
            relative_path=f"{dag_id}.py",
            path=f"/dags/{dag_id}.py",
            content_hash="x",
            parsed_at=house.now,
            duration_s=0.1,
            dags=[ParsedDag(dag_id, encode(dag), watchers)],
            source="# source",
        ),
        house.now,
    )


def claim(house, worker_id="t1", limit=10):
    house.store.workers.register(
        WorkerIdentity(worker_id, "host", "boot", 2, 1.0, "Triggerer", slots=10), house.now
    )
    return house.store.watchers.claim(worker_id, limit, house.now)


def say(house, watcher_id, number=1, payload="1", worker_id="t1"):
    events = [WatcherEvent(watcher_id, number, payload)]
    return house.store.watchers.report(worker_id, events, [], house.now)


def end(house, watcher_id, error="", worker_id="t1"):
    ends = [WatcherEnd(watcher_id, error)]
    house.store.watchers.report(worker_id, [], ends, house.now)


def extras(house, name="data"):
    rows = house.store.assets.events(name=name)
    return sorted((row.extra for row in rows), key=str)


def test_a_watcher_is_claimed_once_with_its_arguments(house):
    declare(house, watcher())

    (claimed,) = claim(house)

    assert (claimed.name, claimed.class_path) == ("inbox", "a.Trigger")
    assert json.loads(claimed.kwargs) == {"queue": "s3cr3t"}
    assert claim(house, "t2") == []
    assert house.store.watchers.held("t1") == {claimed.id}


def test_its_arguments_are_nowhere_stored_as_plain_text(house):
    declare(house, watcher())

    with house.store.database.read() as connection:
        stored = connection.execute(text("SELECT kwargs FROM asset_watcher")).scalar_one()
        version = connection.execute(text("SELECT serialized FROM dag_version")).scalar_one()

    assert "s3cr3t" not in stored
    assert b"s3cr3t" not in bytes(version)


def test_each_event_is_written_once_also_when_it_is_told_again(house):
    declare(house, watcher())
    (claimed,) = claim(house)

    assert [say(house, claimed.id, number, payload) for number, payload in ((1, '"a"'),) * 2] == [
        1,
        0,
    ]
    assert say(house, claimed.id, 2, '{"n":2}') == 1

    assert extras(house) == [
        {"from_trigger": True, "payload": "a"},
        {"from_trigger": True, "payload": {"n": 2}},
    ]


@pytest.mark.parametrize("is_paused", [True, False])
def test_a_paused_dag_watches_like_any_other(house, is_paused):
    declare(house, watcher(), is_paused=is_paused)

    assert len(claim(house)) == 1


def test_what_a_dead_triggerer_watched_goes_to_another_and_the_dead_one_says_nothing_more(house):
    declare(house, watcher())
    (claimed,) = claim(house)
    say(house, claimed.id, 1)
    house.store.workers.declare_dead("t1", house.now, "its process is gone")

    (again,) = claim(house, "t2")

    assert again == claimed
    assert say(house, claimed.id, 2, worker_id="t1") == 0
    assert say(house, claimed.id, 1, worker_id="t2") == 1  # it counts anew


def test_one_that_ended_begins_again_after_a_pause(house):
    declare(house, watcher())
    (claimed,) = claim(house)

    end(house, claimed.id)

    assert claim(house) == []
    house.pass_time(seconds=1)
    assert claim(house) == [claimed]


def test_one_that_fails_begins_again_later_each_time_and_says_why(house):
    declare(house, watcher())
    for pause_s in (5, 10, 20, 40, 80, 160, 320, 600, 600):
        (claimed,) = claim(house)
        end(house, claimed.id, "Traceback\nValueError: no queue")
        house.pass_time(seconds=pause_s - 1)
        assert claim(house) == []
        house.pass_time(seconds=1)

    event = house.store.events.list(kinds=["asset_watcher.failed"])[0]
    assert event.dag_id == "d"
    assert event.detail["watcher"] == "inbox"
    assert event.detail["error"].endswith("ValueError: no queue")


def test_an_event_ends_the_back_off(house):
    declare(house, watcher())
    (claimed,) = claim(house)
    end(house, claimed.id, "Traceback")
    house.pass_time(seconds=5)
    claim(house)
    asset = house.store.assets.list()[0]
    assert house.store.watchers.of_assets([asset.id])[asset.id][0].error == "Traceback"

    say(house, claimed.id)
    end(house, claimed.id, "Traceback")

    house.pass_time(seconds=5)
    assert claim(house) == [claimed]


def test_it_is_not_held_any_more_once_the_file_is_gone_and_comes_back_with_it(house):
    declare(house, watcher())
    (claimed,) = claim(house)

    house.store.files.forget("d.py", house.now)

    assert house.store.watchers.held("t1") == set()
    assert say(house, claimed.id) == 0
    assert not house.store.watchers.is_any_in_force()
    declare(house, watcher())
    assert house.store.watchers.held("t1") == {claimed.id}


def test_changed_arguments_make_another_trigger(house):
    declare(house, watcher())
    (claimed,) = claim(house)

    declare(house, watcher(kwargs='{"queue":"other"}'))

    assert house.store.watchers.held("t1") == set()
    assert say(house, claimed.id) == 0
    (other,) = claim(house)
    assert other.id != claimed.id


def test_a_file_that_is_parsed_again_unchanged_disturbs_nobody(house):
    declare(house, watcher())
    (claimed,) = claim(house)

    declare(house, watcher())

    assert house.store.watchers.held("t1") == {claimed.id}


def test_equal_triggers_of_several_dags_are_one_until_the_last_of_them_is_gone(house):
    declare(house, watcher(), watcher("other"))
    declare(house, watcher(), dag_id="e")
    (claimed,) = claim(house)

    assert say(house, claimed.id) == 2
    assert (len(extras(house)), len(extras(house, "other"))) == (1, 1)
    declare(house, dag_id="d")
    assert say(house, claimed.id, 2) == 1
    declare(house, dag_id="e")
    assert house.store.watchers.held("t1") == set()


def test_one_whose_key_is_lost_says_so_and_harms_no_other(house):
    declare(house, watcher(), watcher(class_path="b.Trigger"))
    with house.store.database.write() as connection:
        lost = "UPDATE asset_watcher SET kwargs = 'nonsense' WHERE class_path = 'a.Trigger'"
        connection.execute(text(lost))

    bad, good = claim(house)

    assert "key" in bad.problem
    assert good.problem == ""


def test_a_rotated_key_opens_the_arguments_too(house):
    declare(house, watcher())

    counts = house.store.encryption.rotate(now=house.now, actor="user:me")

    assert counts["asset watchers"] == 1
    assert json.loads(claim(house)[0].kwargs) == {"queue": "s3cr3t"}
