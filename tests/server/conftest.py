"""What tests of the server share: databases of both kinds."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from support.postgres_cluster import NoPostgresError, Postgres, running_postgres

NO_POSTGRES = "not tried on PostgreSQL"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let all tests that find no PostgreSQL stand in one line of the summary."""
    report = yield
    if isinstance(report.longrepr, tuple) and NO_POSTGRES in report.longrepr[2]:
        report.longrepr = (__file__, None, report.longrepr[2])  # type: ignore[assignment]
    return report


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this session's own; without one, what asks for it is skipped with the reason."""
    try:
        with running_postgres() as server:
            yield server
    except NoPostgresError as error:
        pytest.skip(f"{NO_POSTGRES}: {error}")


@pytest.fixture
def postgresql_url(postgres: Postgres) -> Iterator[str]:
    """The address of a fresh PostgreSQL database with our tables in it; it goes with the test."""
    url = postgres.migrated()
    yield url
    postgres.give_back(url)


@pytest.fixture
def empty_postgresql_url(postgres: Postgres) -> Iterator[str]:
    """The address of a fresh PostgreSQL database without a table."""
    url = postgres.empty()
    yield url
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Run the test twice: with the empty address (a file in the data folder), and on PostgreSQL."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgresql_url"))
