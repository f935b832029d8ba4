"""The table of operations says what answers."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
rest_table = import_module("rest_table")


def test_the_table_of_operations_is_what_the_routes_are():
    """Mend it with ``python tests/docs/rest_table.py``."""
    text = rest_table.DOCUMENT.read_text()

    assert text == rest_table.with_table(text)


def test_what_is_said_to_differ_is_about_operations_that_answer():
    answered = {face.id for version in (1, 2) for _, face in rest_table.operations(version)}

    assert set(rest_table.DIFFERS) <= answered


def test_every_operation_that_scripts_cannot_do_without_answers():
    """What is left out are state stores, and what the web server never runs."""
    for version, known in rest_table.AIRFLOWS.items():
        missing = known - {face.id for _, face in rest_table.operations(version)}
        assert len(missing) <= {1: 0, 2: 15}[version]
