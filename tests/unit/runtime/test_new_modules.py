"""Modules that were imported since a moment."""

from __future__ import annotations

import sys
import types

import pytest
from tradewind.runtime.task.new_modules import ModuleMark


@pytest.fixture
def imported():
    names: list[str] = []

    def do(*some: str) -> None:
        for name in some:
            sys.modules[name] = types.ModuleType(name)
            names.append(name)

    yield do
    for name in names:
        sys.modules.pop(name, None)


def test_nothing_was_imported():
    assert ModuleMark().added() == []


def test_what_was_imported_since_is_told_and_nothing_else(imported):
    imported("made_up_before")
    mark = ModuleMark()

    imported("made_up_one", "made_up_two")

    assert mark.added() == ["made_up_two", "made_up_one"]


def test_a_module_that_was_there_and_is_imported_anew_hides_no_other(imported):
    imported("made_up_before", "made_up_last")
    mark = ModuleMark()

    del sys.modules["made_up_last"]
    imported("made_up_one", "made_up_last")

    assert {"made_up_one", "made_up_last"} <= set(mark.added())


def test_where_modules_were_taken_out_all_are_told(imported):
    imported("made_up_before", "made_up_middle", "made_up_last")
    mark = ModuleMark()

    del sys.modules["made_up_middle"]
    imported("made_up_one")

    assert "made_up_one" in mark.added()
