"""Lets the tests of this folder import ``row_world``; each has a world of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from row_world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A store in memory, a clock moved by hand, one worker."""
    made = World()
    yield made
    made.store.close()


@pytest.fixture
def task() -> Any:
    """The ``@task`` decorator."""
    from tradewind.sdk.task_decorators import task

    return task
