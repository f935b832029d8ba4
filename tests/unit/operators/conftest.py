"""Lets the tests of this folder import the world of the task tests, and gives each a world."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "task"))


@pytest.fixture
def world():
    from task_world import TaskWorld

    return TaskWorld()


@pytest.fixture
def make_world():
    from task_world import TaskWorld

    return TaskWorld
