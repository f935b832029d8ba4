"""Try the REST API with Airflow's own clients of both generations against a running server.

    check_api_clients.py PATH_OF_TRADEWIND EMPTY_FOLDER

Each client gets an environment of its own, made with pip. Set API_CLIENT_2 or API_CLIENT_3 to a
Python that has one already, to save the download.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

CLIENTS = {
    "API_CLIENT_2": ("apache-airflow-client==2.10.0", "client_v1.py"),
    "API_CLIENT_3": ("apache-airflow-client==3.3.2", "client_v2.py"),
}
TESTS = Path(__file__).parent.parent / "tests" / "api_clients"
USER, PASSWORD = "clients", "a-password-of-clients"
START_DEADLINE_S = 60
STOP_DEADLINE_S = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def python_with(requirement: str, variable: str, folder: Path) -> str:
    """Return a Python that has the client."""
    named = os.environ.get(variable)
    if named:
        return named
    place = folder / variable.lower()
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = str(place / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # The client of version 2 asks for less than it imports.
    subprocess.run([*pip, requirement, "setuptools<81"], check=True)
    return python


def wait_for_server(base: str, server: "subprocess.Popen[bytes]", output: Path) -> None:
    """Return when the server answers.

    Raises:
        SystemExit: it does not.
    """
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit(f"the server did not start:\n{output.read_text()}")


def main() -> None:
    tradewind, folder = sys.argv[1], Path(sys.argv[2])
    home = folder / "home"
    home.mkdir(parents=True)
    shutil.copytree(TESTS / "dags", home / "dags")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "TRADEWIND_HOME": str(home),
        "TRADEWIND__API__PORT": str(port),
        "TRADEWIND__CORE__LOAD_EXAMPLES": "False",
    }
    command = [tradewind, "users", "create", "-u", USER, "-p", PASSWORD, "-r", "Admin"]
    command += ["-e", "clients@localhost", "-f", "Api", "-l", "Clients"]
    subprocess.run([tradewind, "db", "migrate"], env=environment, check=True)
    subprocess.run(command, env=environment, check=True)
    output = folder / "server.out"
    with output.open("wb") as stream:
        server = subprocess.Popen(
            [tradewind, "standalone"],
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
            cwd=home,
        )
    failed: list[str] = []
    try:
        wait_for_server(base, server, output)
        for variable, (requirement, script) in CLIENTS.items():
            python = python_with(requirement, variable, folder)
            print(f"{requirement}: {script}", flush=True)
            done = subprocess.run([python, TESTS / script, base, USER, PASSWORD], check=False)
            failed += [script] if done.returncode else []
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
