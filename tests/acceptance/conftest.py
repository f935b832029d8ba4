"""A real Tradewind in an empty home, in each of the set-ups that a test is to run in.

``deployment`` is one of a test's own. It runs on SQLite; with the mark ``every_setup``, or by
``pytest --setup all``, also on PostgreSQL, and with Redis and a Celery worker. ``work`` is one for
all tests of a module, with the DAGs of the folder ``work/``, and always in every set-up. The mark
``setups`` names the only ones in which a test makes sense.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))

from postgresql_server import Databases
from redis_server import RedisServer, running_redis
from set_ups import CeleryDeployment, Deployment

SETUPS = ("sqlite", "postgresql", "celery")
WORK = Path(__file__).parent / "workloads"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = metafunc.config.getoption("--setup")
    is_marked = metafunc.definition.get_closest_marker("every_setup") is not None
    only = metafunc.definition.get_closest_marker("setups")
    possible = SETUPS if only is None else only.args
    for name, scope in (("work", "module"), ("deployment", "function")):
        if name in metafunc.fixturenames:
            if chosen is None:
                setups = possible if is_marked or name == "work" else possible[:1]
            else:
                setups = [one for one in possible if chosen in (one, "all")]
            metafunc.parametrize(name, setups, indirect=True, scope=scope)


def make_deployment(setup: str, home: Path, request: pytest.FixtureRequest) -> Deployment:
    """Return one in a set-up, not started; its database is empty or has its tables only."""
    if setup == "sqlite":
        return Deployment(home)
    databases: Databases = request.getfixturevalue("postgresql_databases")
    if setup == "postgresql":
        made = Deployment(home)
        made.environment["TRADEWIND__DATABASE__SQL_ALCHEMY_CONN"] = databases.create()
        return made
    redis: RedisServer = request.getfixturevalue("redis_server")
    redis.flush_all()
    template: str = request.getfixturevalue("migrated_template")
    return CeleryDeployment(home, databases.create(template), redis.url())


def close(made: Deployment, request: pytest.FixtureRequest) -> None:
    """End its processes and drop its database."""
    made.close()
    url = made.environment.get("TRADEWIND__DATABASE__SQL_ALCHEMY_CONN")
    if url is not None and url.startswith("postgresql"):
        request.getfixturevalue("postgresql_databases").drop(url)


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """What must be so on a laptop, on one larger machine, and in a cluster; not started."""
    made = make_deployment(request.param, tmp_path / "home", request)
    yield made
    close(made, request)


@pytest.fixture
def celery_deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CeleryDeployment]:
    """A cluster, for what only a cluster has."""
    made = make_deployment("celery", tmp_path / "home", request)
    yield made
    close(made, request)


@pytest.fixture(scope="module")
def work(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A started one with the DAGs of ``workloads/``: one server for all tests of a module."""
    home = tmp_path_factory.mktemp("work") / "home"
    made = make_deployment(request.param, home, request)
    made.environment |= {
        "WORK_SIGNS": str(home),
        "TRADEWIND__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
    }
    for path in WORK.glob("*.py"):
        shutil.copy(path, made.dags_folder)
    try:
        made.start()
        made.log_in()
        files = sum("airflow" in path.read_text() for path in WORK.glob("*.py"))
        made.wait_until(
            lambda: len({one["fileloc"] for one in made.ask("/dags")["dags"]}) == files, "all DAGs"
        )
        yield made
    finally:
        close(made, request)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server
