"""Start ``tradewind standalone`` as a newcomer would, watch it work, and stop it with Ctrl-C.

    check_standalone.py PATH_OF_TRADEWIND EMPTY_HOME

Fails when the page does not come up, when the first example does not run to success, or when
Ctrl-C does not end everything cleanly within 5 seconds.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

FIRST_RUN_DEADLINE_S = 60  # generous: the machine may be busy; figures come from benchmarks/
STOP_DEADLINE_S = 5


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def runs_of_first_example(tradewind: str, environment: dict[str, str]) -> list[dict[str, str]]:
    answer = subprocess.run(
        [tradewind, "dags", "list-runs", "hello_tradewind", "-o", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(answer.stdout) if answer.returncode == 0 and answer.stdout.strip() else []


def main() -> None:
    tradewind, home = sys.argv[1], Path(sys.argv[2])
    home.mkdir(parents=True)
    port = free_port()
    environment = {
        **os.environ,
        "TRADEWIND_HOME": str(home),
        "TRADEWIND__API__PORT": str(port),
    }
    output = home.parent / "standalone.out"
    started = time.monotonic()
    with output.open("wb") as stream:
        server = subprocess.Popen(
            [tradewind, "standalone"],
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
            cwd=home,
        )
    try:
        deadline = started + FIRST_RUN_DEADLINE_S
        while time.monotonic() < deadline:
            if server.poll() is not None:
                sys.exit(f"standalone ended by itself:\n{output.read_text()}")
            if any(
                run["state"] == "success" for run in runs_of_first_example(tradewind, environment)
            ):
                break
            time.sleep(0.3)
        else:
            sys.exit(f"no successful run within {FIRST_RUN_DEADLINE_S} s:\n{output.read_text()}")
        print(f"first example ran to success {time.monotonic() - started:.1f} s after the start")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            health = json.load(answer)
        if (
            health["scheduler"]["status"] != "healthy"
            or health["metadatabase"]["status"] != "healthy"
        ):
            sys.exit(f"not healthy: {health}")
        server.send_signal(signal.SIGINT)
        stopping = time.monotonic()
        code = server.wait(timeout=STOP_DEADLINE_S)
        print(f"Ctrl-C ended it in {time.monotonic() - stopping:.1f} s, exit code {code}")
    finally:
        if server.poll() is None:
            server.kill()
    text = output.read_text()
    if str(port) not in text or not re.search(r"(?i)password", text):
        sys.exit(f"address or password was not printed:\n{text}")
    if "Traceback" in text:
        sys.exit(f"a traceback was shown:\n{text}")


if __name__ == "__main__":
    main()
