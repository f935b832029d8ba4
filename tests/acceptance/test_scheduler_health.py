"""``[scheduler] enable_health_check``: the scheduler answers for itself, beside the page."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ADDRESS = re.compile(r"health is answered at (http://127\.0\.0\.1:\d+/health)")

pytestmark = pytest.mark.setups("sqlite")


def test_a_scheduler_says_that_it_is_at_work_and_says_nothing_once_stopped(deployment):
    deployment.environment["TRADEWIND__SCHEDULER__ENABLE_HEALTH_CHECK"] = "True"
    deployment.environment["AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT"] = "0"
    deployment.cli("db", "migrate")
    with deployment.output_path.open("ab") as output:
        deployment.server = subprocess.Popen(
            [Path(sys.executable).with_name("tradewind"), "scheduler"],
            env=deployment.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    said = deployment.wait_until(
        lambda: ADDRESS.search(deployment.output_path.read_text()), "an address in the log"
    )

    answer = deployment.wait_until(lambda: ask(said[1]), "a healthy scheduler")
    deployment.server.send_signal(signal.SIGTERM)
    deployment.server.wait(timeout=60)

    assert answer["status"] == "healthy"
    assert ask(said[1]) is None


def test_a_port_that_is_none_is_told_before_anything_is_started(deployment):
    deployment.environment["TRADEWIND__SCHEDULER__ENABLE_HEALTH_CHECK"] = "True"
    deployment.environment["TRADEWIND__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT"] = "70000"

    for service in ("scheduler", "standalone"):
        done = deployment.cli(service, code=1)

        assert "scheduler_health_check_server_port is a number from 0" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def ask(url: str) -> dict[str, object] | None:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)
    except (urllib.error.HTTPError, ConnectionError, urllib.error.URLError):
        return None
