"""The parts of the simulated world lie beside its tests and are imported by their own names."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True, scope="module")
def _quiet_logs() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def tell(
    record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> Callable[[str], None]:
    """Keep what was played with the test's result, and show it with ``-s``."""

    def show(told: str) -> None:
        record_property("simulated", told)
        with capsys.disabled():
            sys.stdout.write(f" {told}\n")

    return show
