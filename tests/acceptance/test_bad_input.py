"""Bad input to the command line: one clear line, the exit code, never a traceback."""

from __future__ import annotations

import sqlite3

import pytest

REFUSED = [
    (("dags", "trigger", "nope"), 1),
    (("dags", "pause", "nope"), 0),
    (("tasks", "test", "nope", "nope", "2024-01-01"), 1),
    (("dags", "list-runs", "nope"), 1),
    (
        (
            "backfill",
            "create",
            "--dag-id",
            "nope",
            "--from-date",
            "2024-01-01",
            "--to-date",
            "2024-01-02",
        ),
        1,
    ),
    (
        (
            "backfill",
            "create",
            "--dag-id",
            "nope",
            "--from-date",
            "yesterdayish",
            "--to-date",
            "2024-01-02",
        ),
        2,
    ),
    (("dags", "trigger", "nope", "--conf", "{not json"), 1),
    (("dags", "trigger"), 2),
    (("variables", "get", "nope"), 1),
    (("connections", "get", "nope"), 1),
    (("nonsense",), 2),
]


@pytest.mark.setups("sqlite", "postgresql")
@pytest.mark.parametrize(
    ("arguments", "code"),
    REFUSED,
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else str(value),
)
def test_bad_input_gives_one_clear_line_and_its_exit_code(deployment, arguments, code) -> None:
    done = deployment.cli(*arguments, code=None)

    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.setups("sqlite")
def test_a_database_of_airflows_is_refused_and_left_alone(deployment) -> None:
    path = deployment.home / "airflow.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table alembic_version (version_num text)")
        connection.execute("insert into alembic_version values ('509b94a1042d')")
        connection.execute("create table slot_pool (id integer)")
    before = path.read_bytes()
    deployment.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{path}"

    done = deployment.cli("dags", "list", code=None)

    assert done.returncode == 1
    assert "Airflow" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before
