"""Assets: what DAGs name, updates from outside, and which of them wait."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from tradewind.database.encryption import Cipher
from tradewind.database.watcher_writes import declare_watchers
from tradewind.sdk.serialized import SerializedAsset, SerializedTask, SerializedWatcher

from .conftest import NOW, dag_of, save

URI = "s3://shop/orders"


@pytest.fixture
def shop(store) -> str:
    """``maker`` makes the asset, ``reader`` is scheduled on it and on another."""
    one = SerializedAsset("orders", URI)
    task = SerializedTask(task_id="make", task_type="PythonOperator", outlets=[one])
    maker = dag_of("maker")
    maker.tasks = [task]
    leaf = {"asset": {"name": "orders", "uri": URI, "group": "asset"}}
    other = {"asset": {"name": "prices", "uri": "s3://shop/prices", "group": "asset"}}
    reader = dag_of("reader", asset_expression={"all": [leaf, other]})
    save(store, maker, reader)
    for dag_id in ("maker", "reader"):
        store.dags.set_paused(dag_id, False, NOW, "user:test")
    return URI


def number_of(v2, name: str) -> int:
    (found,) = v2.get(f"/assets?name_prefix_pattern={name}")["assets"]
    return int(found["id"])


def test_an_asset_says_who_makes_it_and_who_waits_for_it(v1, v2, shop):
    dataset = v1.get(f"/datasets/{quote(URI, safe='')}")
    asset = v2.get(f"/assets/{number_of(v2, 'orders')}")

    assert [one["dag_id"] for one in dataset["consuming_dags"]] == ["reader"]
    assert [(one["dag_id"], one["task_id"]) for one in asset["producing_tasks"]] == [
        ("maker", "make")
    ]
    assert [one["dag_id"] for one in asset["scheduled_dags"]] == ["reader"]


def test_assets_are_chosen_by_uri_name_and_dag(v1, v2, shop):
    assert v1.get("/datasets?uri_pattern=PRICES")["total_entries"] == 1
    assert v1.get("/datasets?dag_ids=maker")["total_entries"] == 1
    assert v2.get("/assets?dag_ids=maker&dag_ids=reader")["total_entries"] == 2
    assert v2.get("/assets?name_pattern=ord%25")["total_entries"] == 1
    assert [one["name"] for one in v2.get("/assets?order_by=-name")["assets"]] == [
        "prices",
        "orders",
    ]


def test_an_update_from_outside_waits_for_the_dag_and_can_be_dropped(v1, v2, shop):
    posted = v1("POST", "/datasets/events", {"dataset_uri": URI, "extra": {"rows": 3}})
    assert posted.status_code == 200
    assert posted.json["extra"] == {"rows": 3, "from_rest_api": True}

    number = number_of(v2, "orders")
    waiting = v2.get("/dags/reader/assets/queuedEvents")
    assert [one["asset_id"] for one in waiting["queued_events"]] == [number]
    quoted = quote(URI, safe="")
    assert v1.get(f"/datasets/queuedEvent/{quoted}")["total_entries"] == 1
    assert v1.get(f"/dags/reader/datasets/queuedEvent/{quoted}")["uri"] == URI
    before = "?before=2024-01-01T00:00:00Z"
    assert v2.get(f"/assets/{number}/queuedEvents{before}")["total_entries"] == 0

    dropped = v2("DELETE", f"/dags/reader/assets/{number}/queuedEvents")
    assert (dropped.status_code, dropped.data) == (204, b"")
    assert v2("DELETE", f"/dags/reader/assets/{number}/queuedEvents").status_code == 404
    assert v2("GET", f"/dags/reader/assets/{number}/queuedEvents").status_code == 404


def test_updates_of_all_that_a_dag_waits_for_make_a_run_that_names_them(v1, v2, store, shop):
    for name in ("orders", "prices"):
        answer = v2("POST", "/assets/events", {"asset_id": number_of(v2, name)})
        assert answer.status_code == 200
    run_id = store.assets.create_run("reader", NOW)

    events = v2.get(f"/dags/reader/dagRuns/{quote(run_id)}/upstreamAssetEvents")
    assert {one["name"] for one in events["asset_events"]} == {"orders", "prices"}
    assert events["asset_events"][0]["created_dagruns"][0]["run_id"] == run_id
    old = v1.get(f"/dags/reader/dagRuns/{quote(run_id)}/upstreamDatasetEvents")
    assert {one["dataset_uri"] for one in old["dataset_events"]} == {URI, "s3://shop/prices"}
    assert v1.get("/datasets/events?order_by=-timestamp&limit=1")["total_entries"] == 2
    assert v2.get("/assets/events?name_pattern=pri&source_map_index=1")["total_entries"] == 0


def test_to_materialize_an_asset_starts_the_dag_that_makes_it(v2, shop):
    number = number_of(v2, "orders")

    plain = v2("POST", f"/assets/{number}/materialize")
    named = v2("POST", f"/assets/{number}/materialize", {"dag_run_id": "mine", "conf": {"a": 1}})

    assert (plain.status_code, plain.json["dag_id"]) == (200, "maker")
    assert (named.json["dag_run_id"], named.json["conf"]) == ("mine", {"a": 1})
    nobody = v2("POST", f"/assets/{number_of(v2, 'prices')}/materialize")
    assert nobody.status_code == 404


@pytest.mark.parametrize("path", ["/assets/999", "/assets/99999999999999999999", "/assets/x"])
def test_an_asset_that_is_not_there_is_404(v2, shop, path):
    assert v2("GET", path).status_code == 404


def test_an_event_of_an_unknown_asset_is_404_and_a_team_is_refused(v1, v2, shop):
    assert v1("POST", "/datasets/events", {"dataset_uri": "s3://nobody"}).status_code == 404
    team = {"asset_id": 1, "access_control": {"consumer_teams": ["a"]}}
    answer = v2("POST", "/assets/events", team)
    assert answer.status_code == 422
    assert answer.json["detail"][0]["loc"] == ["body", "access_control", "consumer_teams"]


def test_aliases_are_listed_and_found_by_their_numbers(v2, store):
    task = SerializedTask(
        task_id="make",
        task_type="PythonOperator",
        outlets=[SerializedAsset("daily", "", is_alias=True)],
    )
    made = dag_of("maker")
    made.tasks = [task]
    save(store, made)

    (alias,) = v2.get("/assets/aliases")["asset_aliases"]
    assert alias["name"] == "daily"
    assert v2.get(f"/assets/aliases/{alias['id']}") == alias
    assert v2("GET", "/assets/aliases/5").status_code == 404


def test_an_asset_says_what_watches_it(store, v2, shop):
    watcher = SerializedWatcher("orders", URI, "inbox", "a.Trigger", "{}")
    with store.database.write() as connection:
        declare_watchers(connection, "maker", [watcher], Cipher(""), NOW)

    asset = v2.get(f"/assets/{number_of(v2, 'orders')}")

    (shown,) = asset["watchers"]
    assert shown["name"] == "inbox"
