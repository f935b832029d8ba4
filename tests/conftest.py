"""What tests of all kinds share: the databases that they run on.

A test, or a fixture, that asks for ``database_url`` runs once on SQLite and once on PostgreSQL,
on a database of its own. The server is started when the first test needs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "servers"))

from postgresql_server import (
    NEEDED_BY,
    Databases,
    NoServer,
    running_server,
)

#: Folders whose files take longest, in the order in which they begin: side by side, the whole
#: ends when its longest file does.
LONG_FOLDERS = ("chaos", "acceptance", "docker", "browser", "simulation", "packaging")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: number for number, name in enumerate(LONG_FOLDERS)}
    folder = Path(__file__).parent
    items.sort(
        key=lambda item: order.get(item.path.relative_to(folder).parts[0], len(LONG_FOLDERS))
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--setup",
        choices=("sqlite", "postgresql", "celery", "all"),
        help="where acceptance tests run; without it those marked every_setup run everywhere,"
        " and the others on SQLite",
    )


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[Databases]:
    """Databases on one PostgreSQL for all tests; without a server the test is skipped, or fails."""
    try:
        with running_server() as url:
            databases = Databases(url)
            try:
                yield databases
            finally:
                databases.close()
    except NoServer as missing:
        if os.environ.get(NEEDED_BY):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def migrated_template(postgresql_databases: Databases) -> str:
    """The name of a database with all tables and nothing else in them, to be copied."""
    from tradewind.database.migrate import migrate
    from tradewind.database.settings import StoreSettings

    url = postgresql_databases.create()
    migrate(StoreSettings(url=url))
    return url.rpartition("/")[2]


@pytest.fixture
def make_postgresql(
    postgresql_databases: Databases, request: pytest.FixtureRequest
) -> Iterator[Callable[..., str]]:
    """Make databases of this test's own: empty ones, or with all tables."""
    made: list[str] = []

    def make(*, is_migrated: bool = False) -> str:
        template = request.getfixturevalue("migrated_template") if is_migrated else "template0"
        made.append(postgresql_databases.create(template))
        return made[-1]

    yield make
    for url in made:
        postgresql_databases.drop(url)


@pytest.fixture(scope="session")
def emptied_databases() -> list[str]:
    """Databases that tests have used, and that are empty again."""
    return []


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of this test's own. On PostgreSQL it has its tables already."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/tradewind.db"
        return
    databases: Databases = request.getfixturevalue("postgresql_databases")
    free: list[str] = request.getfixturevalue("emptied_databases")
    template: str = request.getfixturevalue("migrated_template")
    url = free.pop() if free else databases.create(template)
    yield url
    databases.empty(url)
    free.append(url)
