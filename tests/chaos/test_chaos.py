"""The real system on SQLite while its processes are killed and stopped: nothing lost or doubled.

The short round is part of every run of the suite. The long one, and the measured times of
recovery, are run by hand: ``pytest tests/chaos -m slow -s``; ``docs/reliability.md`` has results.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_driver import Chaos, is_at_rest, wait_until
from chaos_scene import Scene
from deployment import Deployment


def tell(line: str) -> None:
    """Say something for docs/reliability.md; shown with ``-s``."""
    sys.stdout.write(f"{line}\n")


@pytest.fixture
def deployment():
    with Deployment({}) as made:
        yield made


def test_a_short_round_of_kills_loses_and_doubles_nothing(deployment):
    scene = Scene(deployment, width=8, longest_s=0.3)
    scene.trigger(2)
    acts = [(1, "kill", (name,)) for name in ("tradewind-runne", "tradewind-sched")]
    acts += [(1, "kill", (name,)) for name in ("tradewind-host", "tradewind-zyg")]

    Chaos(deployment, seed=1, acts=acts).run(4.0, pause_s=0.7)

    assert wait_until(lambda: is_at_rest(deployment, scene.runs), 60.0) is not None
    assert scene.violations() == []
    assert scene.starts() >= scene.instances - 2 * 8  # those below a failure do not start


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_minutes_of_everything_that_can_happen(deployment, seed):
    """500 task instances, kill -9 of every kind of process, SIGSTOP, a foreign lock, restarts."""
    scene = Scene(deployment, longest_s=1.5)
    scene.trigger(10)
    chaos = Chaos(deployment, seed)

    while not is_at_rest(deployment, scene.runs) and sum(chaos.done.values()) < 60:
        chaos.run(10.0)

    healed_s = wait_until(lambda: is_at_rest(deployment, scene.runs), 240.0)
    tell(f"seed {seed}: {scene.instances} instances, {scene.starts()} starts, {dict(chaos.done)},")
    tell(f"at rest {healed_s} s after the last act")
    assert healed_s is not None
    assert scene.violations() == []


#: What recovers, whom to kill, and within how many seconds it is to be there again
#: (reliability card, section 5; a restart of what is under a keeper has 1 s of pause in it).
RECOVERIES = (
    ("task", "tradewind-host", 1.0),
    ("scheduler", "tradewind-sched", 3.0),
    ("dag_processor", "tradewind-parse", 3.0),
    ("triggerer", "tradewind-parse", 3.0),
    ("runner", "tradewind-runne", 3.0),
    ("page", "tradewind-web", 3.0),
)


@pytest.mark.slow
def test_times_of_recovery_are_told(deployment):
    """Prints how long each part is away after kill -9. The bound is loose: machines are busy."""
    scene = Scene(deployment, longest_s=3.0)
    scene.trigger(10)
    assert wait_until(lambda: scene.starts() > 8, 60.0) is not None
    chaos = Chaos(deployment, seed=1)
    for what, name, target_s in RECOVERIES:
        scene.trigger(1)
        is_back = watch(deployment, what)
        for pid in chaos.pids([name]):
            os.kill(pid, signal.SIGKILL)
        taken_s = wait_until(is_back, 60.0)
        tell(f"{what}: {taken_s if taken_s is None else round(taken_s, 1)} s (target {target_s})")
        assert taken_s is not None
        wait_until(lambda: False, 3.0)
    scene.trigger(3)
    chaos._restart(())
    before = scene.starts()  # none can begin between the kills and the new start
    taken_s = wait_until(lambda: scene.starts() > before, 60.0)
    tell(f"everything, from the new start of the command to the next task: {taken_s} s (10)")

    assert taken_s is not None
    assert wait_until(lambda: is_at_rest(deployment, scene.runs), 240.0) is not None
    assert scene.violations() == []


def watch(deployment: Deployment, what: str) -> Callable[[], bool]:
    """Return a function that tells when a part that is killed now has done its first work."""
    port = deployment.environment["TRADEWIND__API__PORT"]
    if what == "page":
        return lambda: answers(f"http://127.0.0.1:{port}/login")
    if what == "task":
        statement = (
            "select count(*) n from attempt where state in ('failed', 'up_for_retry', 'lost')"
        )
        [before] = deployment.query(statement)
        return lambda: deployment.query(statement)[0]["n"] > before["n"]
    if what == "runner":
        statement = "select id from worker where state = 'alive' and executor = 'LocalExecutor'"
    else:
        statement = f"select id from process where kind = '{what}'"
    known = {row["id"] for row in deployment.query(statement)}
    return lambda: bool({row["id"] for row in deployment.query(statement)} - known)


def answers(url: str) -> bool:
    """Whether a page is served."""
    try:
        with urllib.request.urlopen(url, timeout=2) as page:
            return page.status == 200
    except OSError:
        return False


def fill_up(path: Path) -> None:
    """Write until the file system is full."""
    with path.open("wb") as file:
        while True:
            file.write(bytes(65536))
            file.flush()


@pytest.mark.slow
def test_a_full_disk_stops_nothing_for_ever(tmp_path):
    """The home is on a small file system that is filled up, and emptied again."""
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", mount], check=False)
    if made.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        with Deployment({}, home=mount / "home") as deployment:
            scene = Scene(deployment, width=12, longest_s=1.0)
            scene.trigger(4)
            assert wait_until(lambda: scene.starts() > 20, 60.0) is not None
            fill = mount / "fill"
            with pytest.raises(OSError, match="No space left"):
                fill_up(fill)
            wait_until(lambda: False, 10.0)
            fill.unlink()

            healed_s = wait_until(lambda: is_at_rest(deployment, scene.runs), 120.0)

            tell(f"at rest {healed_s} s after there was room again")
            assert healed_s is not None
            # Logs of that time may lack their last line, and the witness cannot write.
            kept = [one for one in scene.violations() if not one.startswith(("I-25", "I-32"))]
            assert kept == []
    finally:
        subprocess.run(["umount", "-l", mount], check=True)
        shutil.rmtree(Path(mount), ignore_errors=True)
