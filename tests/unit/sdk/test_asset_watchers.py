"""What a DAG file says of the triggers that watch its assets."""

from __future__ import annotations

import json

import pytest
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.triggers.file import FileDeleteTrigger
from tradewind.sdk.asset import Asset, AssetWatcher
from tradewind.sdk.dag import DAG
from tradewind.sdk.serialize_watchers import watchers_of
from tradewind.sdk.triggers import BaseTrigger


def watched(name, path="/in"):
    return Asset(name, watchers=[AssetWatcher(f"{name} watcher", FileDeleteTrigger(path))])


def test_watchers_of_schedule_inlets_and_outlets_are_told_once_each():
    with DAG("d", schedule=watched("a") & Asset("plain")) as dag:
        EmptyOperator(task_id="t", inlets=[watched("b")], outlets=[watched("a"), watched("c")])

    told = watchers_of(dag)

    assert [(one.asset_name, one.name) for one in told] == [
        ("a", "a watcher"),
        ("b", "b watcher"),
        ("c", "c watcher"),
    ]
    assert told[0].class_path.endswith(".FileDeleteTrigger")
    assert json.loads(told[0].kwargs) == {"filepath": "/in", "poke_interval": 5.0}


@pytest.mark.parametrize("trigger", [BaseTrigger(), "a.Trigger", FileDeleteTrigger])
def test_only_event_triggers_can_watch(trigger):
    with pytest.raises(ValueError, match="asset watcher 'w' must be a BaseEventTrigger"):
        AssetWatcher("w", trigger)
