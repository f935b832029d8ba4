from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import yaml
from tradewind.cli.output import print_rows

ROWS = [
    {"dag_id": "a", "owners": ["me", "you"], "is_paused": False, "slots": 5, "note": None},
    {"dag_id": "long_name", "owners": [], "is_paused": True, "slots": -1, "note": "x"},
]


def test_a_table_has_a_rule_of_equal_signs_and_ends_with_an_empty_line(capsys):
    print_rows(ROWS, "table")

    assert capsys.readouterr().out == (
        "dag_id    | owners | is_paused | slots | note\n"
        "==========+========+===========+=======+=====\n"
        "a         | me,you | False     | 5     |\n"
        "long_name |        | True      | -1    | x\n"
        "\n"
    )


def test_plain_rows_are_columns_two_spaces_apart(capsys):
    print_rows(ROWS, "plain")

    assert capsys.readouterr().out == (
        "dag_id     owners  is_paused  slots  note\n"
        "a          me,you  False      5\n"
        "long_name          True       -1     x\n"
    )


def test_json_is_one_line_of_strings_in_which_null_lists_and_objects_stay(capsys):
    at = datetime(2024, 1, 1, tzinfo=UTC)

    print_rows([*ROWS[:1], {"conf": {"n": 1}, "at": at}], "json")

    text = capsys.readouterr().out
    assert text.count("\n") == 1
    assert json.loads(text) == [
        {"dag_id": "a", "owners": ["me", "you"], "is_paused": "False", "slots": "5", "note": None},
        {"conf": {"n": "1"}, "at": "2024-01-01T00:00:00+00:00"},
    ]


def test_typed_json_has_real_types(capsys):
    print_rows(ROWS[:1], "typed-json")

    assert json.loads(capsys.readouterr().out)[0]["slots"] == 5


def test_yaml_is_a_list_of_maps_with_quoted_booleans(capsys):
    print_rows(ROWS[:1], "yaml")

    text = capsys.readouterr().out
    assert "is_paused: 'False'" in text
    assert yaml.safe_load(text)[0]["slots"] == "5"


@pytest.mark.parametrize(
    ("output", "text"),
    [("table", "No data found\n"), ("plain", "No data found\n"), ("json", "[]\n")],
)
def test_no_rows(capsys, output, text):
    print_rows([], output)

    assert capsys.readouterr().out == text


def test_long_cells_wrap_inside_their_column_within_200_letters(capsys):
    print_rows([{"a": "word " * 60, "b": "short"}], "table")

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 200
    assert lines[2].endswith("| short")
    assert lines[3].endswith("|")
