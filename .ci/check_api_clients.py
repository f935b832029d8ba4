"""Try the REST API of a running server: Airflow's own clients, curl, and schemathesis.

    check_api_clients.py PATH_OF_TRADEWIND EMPTY_FOLDER

Clients and schemathesis get environments of their own, made with pip before anything runs. Set
API_CLIENT_2, API_CLIENT_3 or API_SCHEMATHESIS to a Python that has one already, to save the
download, and API_SCHEMATHESIS_S to the seconds that each version's document is tried for.
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
#: Seeds are fixed, so that a run can be repeated.
SCHEMATHESIS = "schemathesis==4.32.5"
DOCUMENTS = {"1": "/api/v1/openapi.json", "2": "/openapi.json"}
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
#: Waits for an hour if need be: not with made-up intervals. Logs in or out. Deletes its subject.
LEFT_OUT = ("wait_dag_run_until_finished", "logout", "login", "delete_dag", "delete_dag_run")
TESTS = Path(__file__).parent.parent / "tests" / "api_clients"
USER, PASSWORD = "clients", "a-password-of-clients"
START_DEADLINE_S = 60
STOP_DEADLINE_S = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def python_with(requirement: str, variable: str, folder: Path) -> str:
    """Return a Python that has a package."""
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


def check_curl(base: str) -> bool:
    """Start a run as people do it on the command line: without any header."""
    command = ["curl", "--silent", "--fail", "--user", f"{USER}:{PASSWORD}", "-X", "POST"]
    command += [f"{base}/api/v1/dags/api_clients/dagRuns", "-d", '{"conf": {}}']
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    print(f"curl: {done.stdout.strip()}", flush=True)
    return done.returncode == 0 and '"run_type": "manual"' in done.stdout


def check_document(python: str, base: str, version: str, folder: Path) -> bool:
    """Throw made-up requests at every operation: no 500, and no answer that is not described."""
    seconds = os.environ.get("API_SCHEMATHESIS_S", "12")
    command = [str(Path(python).with_name("schemathesis")), "--config-file"]
    command += [str(TESTS / "schemathesis.toml"), "run", base + DOCUMENTS[version]]
    command += ["--auth", f"{USER}:{PASSWORD}", "--seed", version, "--max-time", seconds]
    command += ["--phases", "coverage,fuzzing", "--checks", CHECKS, "--continue-on-failure"]
    command += ["--request-timeout", "30", "--no-color", "--warnings", "off"]
    for name in LEFT_OUT:
        command += ["--exclude-operation-id", name]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    tail = [line for line in done.stdout.splitlines() if line.strip()][-4:]
    print(
        "\n".join(tail if done.returncode == 0 else [done.stdout[-6000:], done.stderr]), flush=True
    )
    return done.returncode == 0


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
    pythons = {
        script: python_with(requirement, variable, folder)
        for variable, (requirement, script) in CLIENTS.items()
    }
    schemathesis = python_with(SCHEMATHESIS, "API_SCHEMATHESIS", folder)
    shutil.copytree(TESTS / "dags", home / "dags")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "TRADEWIND_HOME": str(home),
        "TRADEWIND__API__PORT": str(port),
        "TRADEWIND__CORE__LOAD_EXAMPLES": "False",
        "TRADEWIND__API__REQUEST_RATE_LIMIT": "",
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
        for requirement, script in CLIENTS.values():
            print(f"{requirement}: {script}", flush=True)
            command = [pythons[script], TESTS / script, base, USER, PASSWORD]
            done = subprocess.run(command, check=False)
            failed += [script] if done.returncode else []
        failed += [] if check_curl(base) else ["curl"]
        for version in DOCUMENTS:
            is_good = check_document(schemathesis, base, version, folder)
            failed += [] if is_good else [f"schemathesis, version {version}"]
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
