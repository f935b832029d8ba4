"""People act while processes are killed or stopped: each command says what became of it.

Run by hand, ``pytest tests/chaos/test_people.py -m slow -s``; ``docs/reliability.md`` has results.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter

import pytest
from chaos_driver import Chaos, is_at_rest, wait_until
from chaos_scene import Scene
from deployment import TRADEWIND, Deployment
from test_chaos import tell
from test_hanging import is_served, leaders

DAILY = """
from datetime import datetime
from airflow.sdk import dag, task

@dag(schedule="@daily", start_date=datetime(2024, 1, 1), catchup=False,
     is_paused_upon_creation=False)
def daily():
    @task
    def only():
        pass
    only()

daily()
"""
#: What must hold although people clear and mark what runs.
KEPT_BY_PEOPLE = {
    "I-2",
    "I-3",
    "I-6",
    "I-7",
    "I-10",
    "I-14",
    "I-16",
    "I-19",
    "I-20",
    "I-32",
    "I-33",
}


@pytest.fixture
def deployment():
    with Deployment({}) as made:
        yield made


class People:
    """Commands at random, one after the other, in a thread."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        self.deployment = deployment
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.refused: list[str] = []
        self.odd: list[str] = []
        self.longest_s = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._act)

    def __enter__(self) -> People:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _act(self) -> None:
        number = 0
        while not self._is_over.wait(0.2):
            number += 1
            day = self.random.randint(1, 27)
            days = ("--from-date", f"2024-02-{day:02}", "--to-date", f"2024-02-{day + 2:02}")
            which = self.random.choice(("first_0", "first_1", "second_2", "gather"))
            run_id = f"hand_{self.random.randint(1, number)}"
            acts = (
                ("dags", "trigger", "witness", "--run-id", f"hand_{number}"),
                ("dags", "trigger", "witness", "--run-id", f"hand_{number}"),
                ("tasks", "clear", "witness", "-t", which, "-d", "-y"),
                ("dags", "clear", "witness", "--run-id", run_id, "-y"),
                ("dags", "pause", "witness", "-y"),
                ("dags", "unpause", "witness", "-y"),
                ("dags", "unpause", "witness", "-y"),
                ("backfill", "create", "--dag-id", "daily", "--no-wait", *days),
            )
            self.command(*self.random.choice(acts))

    def command(self, *words: str) -> int:
        began_s = time.monotonic()
        done = subprocess.run(
            [TRADEWIND, *words],
            env=self.deployment.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        self.longest_s = max(self.longest_s, time.monotonic() - began_s)
        self.done[f"{words[0]} {words[1]}: {done.returncode}"] += 1
        if done.returncode:
            self.refused.append(f"{' '.join(words)}: {done.stderr.strip()}")
            # Those of "everything at once" were killed, too: they are processes of this home.
            is_odd = any(word in done.stderr for word in ("Traceback", "details:"))
            if is_odd or done.returncode not in (1, -signal.SIGKILL):
                self.odd.append(self.refused[-1])
        return done.returncode


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_commands_are_kept_or_refused_while_all_is_killed_and_started_again(deployment, seed):
    deployment.write_dag("daily.py", DAILY)
    scene = Scene(deployment, width=4, longest_s=0.5)
    deployment.wait_for_dag("daily")
    scene.trigger(1)
    acts = [(4, "kill", (name,)) for name in ("tradewind-runne", "tradewind-sched")]
    acts += [(2, "kill", ("tradewind-parse",)), (1, "restart", ())]
    chaos = Chaos(deployment, seed=seed, acts=acts)

    with People(deployment, seed) as people:
        chaos.run(60.0)

    assert people.command("dags", "unpause", "witness", "-y") == 0
    healed_s = wait_until(lambda: is_at_rest(deployment, 1), 240.0)
    tell(f"seed {seed}: {dict(people.done)}, {dict(chaos.done)}, {scene.starts()} starts")
    tell(f"longest command {people.longest_s:.1f} s, at rest {healed_s} s after the last act")
    tell("\n".join(sorted(set(people.refused))))
    assert people.odd == []
    assert healed_s is not None
    found = scene.violations()
    assert [one for one in found if one.split(":")[0].split("/")[0] in KEPT_BY_PEOPLE] == []


#: Whom to stop for a minute. The keeper is the command itself.
STOPPED = ("keeper", "runne", "sched", "parse", "web", "zyg", "host")


@pytest.mark.slow
def test_a_minute_of_sigstop_of_each_process_loses_nothing(deployment):
    """Longer than a lease and than the time after which one that hangs is replaced."""
    scene = Scene(deployment, width=4, longest_s=2.0)
    chaos = Chaos(deployment, seed=1)
    assert wait_until(lambda: is_served(deployment), 60.0) is not None
    for name in STOPPED:
        scene.trigger(2)
        before = scene.starts()
        assert wait_until(lambda before=before: scene.starts() > before, 60.0) is not None
        if name == "keeper":
            stopped = [deployment._server.pid]
        else:
            stopped = leaders(chaos, f"tradewind-{name}")
        assert stopped
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: False, 60.0)
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        healed_s = wait_until(lambda: is_at_rest(deployment, scene.runs), 120.0)
        tell(f"{name} ({len(stopped)}) stopped for a minute: at rest {healed_s} s after")
        assert healed_s is not None
        assert wait_until(lambda: is_served(deployment), 30.0) is not None

    assert scene.violations() == []
