"""A trigger that watches an asset makes runs of the DAG that is scheduled on it."""

from __future__ import annotations

import os
import signal

TRIGGERS = """
import asyncio
from pathlib import Path
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

class LineTrigger(BaseEventTrigger):
    def __init__(self, folder):
        super().__init__()
        self.folder = Path(folder)
    def serialize(self):
        return "line_trigger.LineTrigger", {"folder": str(self.folder)}
    async def run(self):
        while True:
            if (self.folder / "inbox").exists():
                text = (self.folder / "inbox").read_text()
                (self.folder / "inbox").unlink()
                if text == "bad":
                    raise ValueError("this cannot be read")
                yield TriggerEvent({"text": text})
            await asyncio.sleep(0.1)
"""

DAGS = """
from airflow.sdk import Asset, AssetWatcher, dag, task
from line_trigger import LineTrigger

INBOX = Asset("inbox", watchers=[AssetWatcher("lines", trigger=LineTrigger({folder!r}))])

@dag(schedule=INBOX, is_paused_upon_creation=False)
def consumer():
    @task
    def use(triggering_asset_events):
        (event,) = triggering_asset_events[INBOX]
        with open({folder!r} + "/seen", "a") as seen:
            print(event.extra, file=seen)
    use()
consumer()
"""


def test_a_watched_file_makes_runs_also_after_a_failure_and_the_death_of_the_triggerer(deployment):
    deployment.write_dag("line_trigger.py", TRIGGERS)
    deployment.write_dag("consumer.py", DAGS.format(folder=str(deployment.home)))
    deployment.start()
    deployment.wait_until(lambda: deployment.rows("dags", "list"), "the DAG")

    put(deployment, "one")
    deployment.wait_until(lambda: deployment.run_states("consumer") == ["success"], "one run")
    (pid,) = deployment.processes("tradewind-parse")  # the triggerer is a thread of it
    os.kill(pid, signal.SIGKILL)
    # What a dying trigger takes is lost with it: here the next one is to see the file.
    deployment.wait_until(
        lambda: [one for one in deployment.processes("tradewind-parse") if one != pid],
        "another process for the triggerer",
    )
    put(deployment, "two")
    deployment.wait_until(lambda: deployment.run_states("consumer") == ["success"] * 2, "two")
    put(deployment, "bad")
    put(deployment, "three")
    deployment.wait_until(lambda: deployment.run_states("consumer") == ["success"] * 3, "three")

    assert (deployment.home / "seen").read_text().splitlines() == [
        f"{{'from_trigger': True, 'payload': {{'text': '{text}'}}}}"
        for text in ("one", "two", "three")
    ]
    assert deployment.stop() == 0


def put(deployment, text):
    """Leave a file for the trigger; wait until it has taken it."""
    inbox = deployment.home / "inbox"
    partial = deployment.home / "partial"
    partial.write_text(text)
    partial.rename(inbox)
    deployment.wait_until(lambda: not inbox.exists(), f"{text!r} was taken")
